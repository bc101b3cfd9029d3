# SPDX-License-Identifier: MIT
# nm -n IMAGE | awk -v id=HASH -f symbols.awk: an assembly file with the table of
# function names that back-traces print, and the build id.
$2 ~ /^[tT]$/ {
        n++
        addr[n] = $1
        name[n] = $3
}
END {
        print "\t.section .rodata.symbols, \"a\""
        print "\t.globl symbol_table, symbol_count, build_id"
        print "\t.balign 8"
        print "symbol_table:"
        for (i = 1; i <= n; i++)
                printf "\t.quad 0x%s, name%d\n", addr[i], i
        print "symbol_count:"
        printf "\t.quad %d\n", n
        print "build_id:"
        printf "\t.asciz \"%s\"\n", id
        for (i = 1; i <= n; i++)
                printf "name%d:\t.asciz \"%s\"\n", i, name[i]
        print "\t.section .note.GNU-stack, \"\", @progbits"
}
