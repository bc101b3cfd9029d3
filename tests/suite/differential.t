#!/bin/sh
# SPDX-License-Identifier: MIT
# What random guests see bare and under every policy is the same.
exec "$(dirname "$0")/../differential/run"
