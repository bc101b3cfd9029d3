/* SPDX-License-Identifier: MIT */
/*
 * What a VM's kernel cannot find by itself: the value that means "off" at the
 * sleep port that the FADT names (ACPI 6.4, "Sleep Control and Status
 * Registers"), and the serial port with its interrupt. The preprocessor takes
 * the numbers from acpi_tables.h and vuart.h, iasl makes AML of the rest.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "TILEVR", "TILEVISR", 1)
{
	Name (\_S5, Package () { ACPI_SLEEP_TYPE_OFF, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, VUART_PORT, VUART_PORT, 1, VUART_PORTS)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { VUART_IRQ }
			})
		}
	}
}
