/* SPDX-License-Identifier: MIT */
#include "guest/vrtc.h"

#include "boot/lib/x86.h"

#define INDEX_MASK  0x7f /* bit 7 masks NMIs */
#define REG_DATE    0x09 /* the last of the time's registers */
#define REG_A       0x0a
#define REG_B       0x0b
#define REG_D       0x0d
#define REG_CENTURY 0x32
#define ABSENT      0xff /* a port without a device */
#define A_RATES     0x26 /* 32 kHz, 1024 interrupts a second */
#define A_UPDATE    BIT(7)
#define B_FORMAT    (BIT(1) | BIT(2)) /* 24 hours, binary */
#define B_DEFAULT   BIT(1)
#define D_VALID     BIT(7)

u8 vrtc_value(u8 index, u8 host)
{
	const bool absent = host == ABSENT;

	if (index <= REG_DATE || index == REG_CENTURY)
		return absent ? 0 : host;
	switch (index) {
	case REG_A:
		return A_RATES | (u8)(absent ? 0 : host & A_UPDATE);
	case REG_B:
		return (u8)(absent ? B_DEFAULT : host & B_FORMAT);
	case REG_D:
		return D_VALID;
	default:
		return 0;
	}
}

u8 vrtc_read(struct vrtc *r, u16 port)
{
	if (port != VRTC_DATA_PORT)
		return ABSENT; /* the index is write-only */
	outb(VRTC_INDEX_PORT, r->index);
	return vrtc_value(r->index, inb(VRTC_DATA_PORT));
}

void vrtc_write(struct vrtc *r, u16 port, u8 value)
{
	if (port == VRTC_INDEX_PORT)
		r->index = value & INDEX_MASK;
}
