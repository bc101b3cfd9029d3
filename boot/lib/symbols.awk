# SPDX-License-Identifier: MIT
# (nm -n IMAGE; readelf -rW IMAGE) | awk -v id=HASH -f symbols.awk: an assembly
# file with what the image knows about itself: the names of its functions for
# back-traces, the build id, and where in it an address stands that must be moved
# with it (boot/head.S). Input without names or relocations: empty tables.
# Source: System V ABI, AMD64 supplement, "Relocation Types".
function fail(text) {
        print "symbols.awk: " text > "/dev/stderr"
        failed = 1
        exit 1
}
function number(hex,  i, v) {
        for (i = 1; i <= length(hex); i++)
                v = v * 16 + index("123456789abcdef", substr(hex, i, 1))
        return v
}
NF == 3 && $3 == "image_start" { base = number($1) }
NF == 3 && $3 == "image_end" { end = number($1) }
NF == 3 && $2 ~ /^[tT]$/ {
        n++
        addr[n] = number($1)
        name[n] = $3
}
$1 == "Relocation" && $2 == "section" { loaded = $3 !~ /\.rela\.debug/ }
!loaded || $3 !~ /^R_X86_64_/ { next }
# Relative to the instruction: the same wherever the image lies.
$3 ~ /^R_X86_64_(PC32|PLT32|NONE)$/ { next }
$3 ~ /^R_X86_64_(64|32|32S)$/ {
        if (number($4) < base || number($4) > end)
                fail("the address at " $1 " is not of the image: " $0)
        moved[++m] = $1
        next
}
{ fail("unknown kind of relocation: " $0) }
END {
        if (failed)
                exit 1
        print "\t.section .rodata.symbols, \"a\""
        print "\t.globl symbol_table, symbol_count, symbol_names, build_id"
        print "\t.globl moved_table, moved_count"
        print "\t.balign 8"
        print "symbol_table:"
        for (i = 1; i <= n; i++)
                printf "\t.long %d, name%d - symbol_names\n", addr[i] - base, i
        print "moved_table:"
        for (i = 1; i <= m; i++)
                print "\t.long 0x" moved[i]
        print "symbol_count:"
        printf "\t.long %d\n", n
        print "moved_count:"
        printf "\t.long %d\n", m
        print "build_id:"
        printf "\t.asciz \"%s\"\n", id
        print "symbol_names:"
        for (i = 1; i <= n; i++)
                printf "name%d:\t.asciz \"%s\"\n", i, name[i]
        print "\t.section .note.GNU-stack, \"\", @progbits"
}
