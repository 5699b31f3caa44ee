#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# (needs_recording: alone.)
. "${BASH_SOURCE%/*}/distro.sh"
