/* SPDX-License-Identifier: GPL-2.0-only */
/* RIFFA's signatures, after riffa.h. */
typedef struct fpga_t fpga_t;

int fpga_send(fpga_t *fpga, int chnl, void *data, int len, int destoff, int last,
	      long long timeout);
int fpga_recv(fpga_t *fpga, int chnl, void *data, int len, long long timeout);

int fpga_send(fpga_t *fpga, int chnl, void *data, int len, int destoff, int last,
	      long long timeout)
{
	return fpga && data && destoff + last + timeout ? len + chnl : -1;
}

int fpga_recv(fpga_t *fpga, int chnl, void *data, int len, long long timeout)
{
	return fpga && data && timeout ? len + chnl : -1;
}
