#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# embed: the files of a folder, plain and gzipped, as an assembly file on stdout that defines assets_table (assets.h).
#   embed.sh FOLDER > assets_data.S        writes FOLDER/….gz beside each file
set -eu
export LC_ALL=C
folder=$(cd "$1" && pwd)

cat <<'HEAD'
#if __SIZEOF_POINTER__ == 8
#define POINTER .quad
#else
#define POINTER .long
#endif
    .section .note.GNU-stack,"",%progbits
HEAD

number=0 table=
for file in $(cd "$folder" && find . -type f ! -name '.*' ! -name '*.gz' | sed 's|^\./||' | sort); do
    gzip -9nc "$folder/$file" >"$folder/$file.gz"
    cat <<FILE
    .section .rodata.assets,"a",%progbits
path_$number: .asciz "$file"
etag_$number: .asciz "$(sha256sum "$folder/$file" | cut -c 1-20)"
plain_$number: .incbin "$folder/$file"
gzip_$number: .incbin "$folder/$file.gz"
end_$number: .byte 0
FILE
    table="$table
    POINTER path_$number, etag_$number, plain_$number, gzip_$number, end_$number"
    number=$((number + 1))
done

cat <<TAIL
    .section .data.rel.ro.assets,"aw",%progbits
    .balign __SIZEOF_POINTER__
    .globl assets_table
    .type assets_table, %object
assets_table:$table
    POINTER 0, 0, 0, 0, 0
    .size assets_table, . - assets_table
TAIL
