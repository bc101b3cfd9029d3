#!/bin/sh
# SPDX-License-Identifier: MIT
# Do the tests bite? Some of the seeded bugs; `make mutate` has all of them.
exec "$(dirname "$0")/../mutate/run" --ci --tap
