#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian kernels as guests, with the kernel's own selftests in them.
exec "$(dirname "$0")/../run" linux
