#!/bin/sh
# SPDX-License-Identifier: MIT
# Machines that lack something, as tests.conf lists them.
exec "$(dirname "$0")/../run" capability
