#!/bin/sh
# SPDX-License-Identifier: MIT
# The emulator itself, as tests.conf says: its model of the CPU.
exec "$(dirname "$0")/../run" emulator
