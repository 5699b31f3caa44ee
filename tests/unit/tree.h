/* SPDX-License-Identifier: GPL-2.0-only */
/* A test's own directory, with all in it, is taken away. 0 or -1. */
#ifndef TEST_TREE_H
#define TEST_TREE_H

int tree_remove(const char *path);

#endif
