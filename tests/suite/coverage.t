#!/bin/sh
# SPDX-License-Identifier: MIT
# Every branch of fpu/ is taken by a unit test. `make coverage` has all files.
exec "$(dirname "$0")/../coverage/run" --tap fpu/
