#!/bin/sh
# SPDX-License-Identifier: MIT
# Several CPUs: vCPUs that move between them, sleep, wake each other, and end.
exec "$(dirname "$0")/../run" smp
