#!/bin/sh
# SPDX-License-Identifier: MIT
# A million exits of a guest that tries everything.
exec "$(dirname "$0")/../guest/fuzz/run"
