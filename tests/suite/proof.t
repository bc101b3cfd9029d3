#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of the proofs that takes two minutes; `make proof` has all of them.
exec "$(dirname "$0")/../proof/run" --ci --tap
