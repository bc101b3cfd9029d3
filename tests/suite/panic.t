#!/bin/sh
# SPDX-License-Identifier: MIT
# What Tilevisor prints when it finds a bug of its own.
exec "$(dirname "$0")/../run" panic
