// SPDX-License-Identifier: GPL-2.0-only
#include "FlxCard.h"

#include <stdexcept>
#include <string>

FlxCard::FlxCard() : m_bar0(new bar0()), m_waits(0)
{
}

FlxCard::~FlxCard()
{
	delete const_cast<bar0 *>(m_bar0);
}

void FlxCard::dma_to_host(u_int dma_id, u_long dst, size_t size, u_int flags)
{
	if (dma_id > 7)
		throw std::out_of_range("no channel " + std::to_string(dma_id));
	m_bar0->desc[2 * dma_id] = dst;
	m_bar0->desc[2 * dma_id + 1] = size + flags;
	m_bar0->enable |= 1u << dma_id;
}

void FlxCard::dma_from_host(u_int dma_id, u_long src, size_t size, u_int flags)
{
	if (dma_id > 7)
		throw std::out_of_range("no channel " + std::to_string(dma_id));
	m_bar0->desc[2 * dma_id] = src;
	m_bar0->desc[2 * dma_id + 1] = size - flags;
	m_bar0->enable |= 1u << dma_id;
}

// Every hundredth wait of a card throws, as the real one does after a second.
void FlxCard::dma_wait(u_int dma_id)
{
	for (int spin = 0; spin < 20; spin++)
		if (!(m_bar0->enable & (1u << dma_id)))
			return;
	std::string what = "timeout of channel ";
	if (++m_waits % 100 == 0) {
		m_bar0->enable &= ~(1u << dma_id);
		throw std::runtime_error(what + std::to_string(dma_id));
	}
	m_bar0->enable &= ~(1u << dma_id);
}

void FlxCard::dma_stop(u_int dma_id)
{
	m_bar0->enable &= ~(1u << dma_id);
}
