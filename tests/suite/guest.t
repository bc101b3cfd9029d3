#!/bin/sh
# SPDX-License-Identifier: MIT
# The test guests, bare and hosted, as tests.conf lists them.
exec "$(dirname "$0")/../run" guest
