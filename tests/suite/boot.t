#!/bin/sh
# SPDX-License-Identifier: MIT
# What Tilevisor says to damaged boot information and wrong options.
exec "$(dirname "$0")/../run" boot
