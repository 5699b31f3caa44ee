// SPDX-License-Identifier: GPL-2.0-only
/* The functions that tests/cli/probes.t arms. */
#ifndef PROBED_H
#define PROBED_H

long probed(long n); /* n + 1 */
long loaded(long n); /* of libloaded.so: n + 2 */

/* How many of n rounds lost a register, a flag, a vector or the red zone across places
 * that are probed in the middle of code. */
int kept(long n);
/* Frames of the caller that are found from inside of a probed function's callee. */
int unwound(void);
/* Calls `still`, by a function of its own, until it is 0: something to attach to. */
long stand(int (*still)(void));

#endif
