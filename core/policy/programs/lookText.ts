import type { ProgramTable } from './program.ts'

/** Programs that show or reshape the text of files. Options are those of the GNU and BSD manuals. */
export const lookText: ProgramTable = {
  cat: {
    operands: 'read',
    plain:
      '-AbeEnstTuvl --show-all --number-nonblank --show-ends --number --squeeze-blank --show-tabs --show-nonprinting',
    examples: {
      allow: ['cat README.md', 'cat -n README.md', 'cat /etc/os-release'],
      ask: ['cat .env', 'cat -n .env', 'cat /etc/hosts.deny', 'cat /opt/x', 'cat --nonesuch a'],
      deny: ['cat /etc/shadow', 'cat ~/.ssh/id_rsa', 'cat -A ~/.ssh/id_rsa'],
    },
  },
  tac: {
    operands: 'read',
    plain: '-br --before --regex',
    takes: '-s --separator',
    examples: { allow: ['tac a.log'], ask: ['tac -b .env', 'tac -s .env'] },
  },
  nl: {
    operands: 'read',
    plain: '-p --no-renumber',
    takes:
      '-b -d -f -h -i -l -n -s -v -w --body-numbering --section-delimiter --footer-numbering --header-numbering --line-increment --join-blank-lines --number-format --number-separator --starting-line-number --number-width',
    examples: { allow: ['nl -b a a.txt'], ask: ['nl -p .env'] },
  },
  'head ghead': {
    operands: 'read',
    plain: '-qvz# --quiet --silent --verbose --zero-terminated',
    takes: '-n -c --lines --bytes',
    examples: {
      allow: ['head -n 5 a.txt', 'head -50 x', 'head -c100 x'],
      ask: ['head -q .env', 'head -n .env'],
    },
  },
  'tail gtail': {
    operands: 'read',
    plain: '-fFrqvz# --follow --retry --quiet --silent --verbose --zero-terminated',
    takes: '-n -c -s -b --lines --bytes --sleep-interval --pid --max-unchanged-stats',
    examples: {
      allow: ['tail -f log.txt', 'tail -n 50 -f log.txt', 'tail -n +3 x', 'tail -20 x'],
      ask: ['tail -f .env', 'tail -F .env'],
      deny: ['tail -f /etc/shadow'],
    },
  },
  'bat batcat': {
    operands: 'read',
    plain:
      '-pAnPHf --plain --show-all --number --no-pager --force-colorization --paging --color --decorations --style --list-languages --list-themes --diff',
    takes:
      '-l -r -m --language --line-range --theme --tabs --wrap --terminal-width --highlight-line --map-syntax',
    flags: { '--pager': 'code.inline' },
    examples: {
      allow: ['bat -p a.ts', 'bat --paging=never a.ts'],
      ask: ['bat --pager=x a', 'bat cache --build'],
    },
  },
  wc: {
    operands: 'read',
    plain: '-cmlLw --bytes --chars --lines --words --max-line-length --total',
    examples: { allow: ['wc -l src/a.ts', 'wc -l *.ts'], ask: ['wc --files0-from=list', 'wc -l .env'] },
  },
  'cut gcut': {
    operands: 'read',
    plain: '-nswz --only-delimited --complement --zero-terminated',
    takes: '-b -c -d -f --bytes --characters --delimiter --fields --output-delimiter',
    examples: {
      allow: ['cut -d: -f1 x', 'cut -d, -f1 x.csv', 'cut -d / -f 2 x', "cut -d' ' -f2- x"],
      ask: ['cut -s .env', 'cut -d= -f2 .env'],
    },
  },
  paste: {
    operands: 'read',
    plain: '-sz --serial --zero-terminated',
    takes: '-d --delimiters',
    examples: { allow: ['paste a b', 'paste -sd, a'], ask: ['paste -s .env'] },
  },
  fold: {
    operands: 'read',
    plain: '-bcs# --bytes --spaces --characters',
    takes: '-w --width',
    examples: { allow: ['fold -w 80 a'], ask: ['fold -s .env'] },
  },
  fmt: {
    operands: 'read',
    plain: '-cstumn# --crown-margin --split-only --tagged-paragraph --uniform-spacing',
    takes: '-w -g -p -d -l --width --goal --prefix',
    examples: { allow: ['fmt -w 80 a'], ask: ['fmt -s .env'] },
  },
  'expand unexpand': {
    operands: 'read',
    plain: '-ia# --initial --all --first-only',
    takes: '-t --tabs',
    examples: { allow: ['expand -t 4 a'], ask: ['expand -i .env'] },
  },
  od: {
    operands: 'read',
    plain: '-abcdefhiloxsvBDFHILOX --output-duplicates --traditional',
    takes: '-A -j -N -S -t --address-radix --skip-bytes --read-bytes --format --strings --endian',
    maybe: '-w --width',
    examples: {
      allow: ['od -c a', 'od -A x -t x1 a', 'od -w16 a'],
      ask: ['od -c .env', 'od -A x -t x1 .env'],
    },
  },
  'hexdump hd': {
    operands: 'read',
    plain:
      '-bcCdoxXv --one-byte-octal --one-byte-char --canonical --two-bytes-decimal --two-bytes-octal --two-bytes-hex --no-squeezing',
    takes: '-e -n -s --format --length --skip',
    files: { '-f --format-file': 'read' },
    examples: { allow: ['hexdump -C a', 'hexdump -n 16 a'], ask: ['hexdump -C .env', 'hd -v .env'] },
  },
  'strings gstrings': {
    operands: 'read',
    plain: '-afowd# --all --data --print-file-name --include-all-whitespace',
    takes: '-n -t -T -e -s -U --bytes --radix --target --encoding --output-separator --unicode',
    examples: { allow: ['strings -a a.bin', 'strings -n 8 a'], ask: ['strings -a .env', 'strings @list'] },
  },
  objdump: {
    operands: 'read',
    // With -S it shows the files that the program says it was made from.
    plain:
      '-afphxdDrRtTCwszV --archive-headers --file-headers --private-headers --section-headers --headers --all-headers --disassemble --disassemble-all --reloc --dynamic-reloc --syms --dynamic-syms --demangle --wide --full-contents',
    takes: '-j -M --section --disassembler-options',
    examples: { allow: ['objdump -d a.out'], ask: ['objdump -S a.out', 'objdump -d .env'] },
  },
  'readelf nm size': {
    operands: 'read',
    plain:
      '-haldsSrnVWeAtgCuDfpTx --headers --all --file-header --program-headers --segments --section-headers --sections --symbols --syms --dyn-syms --relocs --dynamic --notes --version-info --wide --demangle --disassemble --all-headers --full-contents --numeric-sort --size-sort --defined-only --undefined-only --dynamic-syms',
    takes: '-j --section -M --disassembler-options',
    examples: { allow: ['readelf -h a.out'], ask: ['readelf -a @list', 'nm .env'] },
  },
  column: {
    operands: 'read',
    plain:
      '-tnxeJLd --table --fillrows --json --keep-empty-lines --table-noheadings --table-header-repeat --table-maxout',
    takes:
      '-c -s -o -N -l -R -T -H -O -E -W -C --output-width --separator --output-separator --table-columns --table-columns-limit --table-right --table-truncate --table-hide --table-order --table-noextreme --table-wrap --table-column --table-name',
    examples: { allow: ['column -t a.txt', 'column -s, -t x.csv'], ask: ['column -t .env'] },
  },
  rev: { operands: 'read', plain: '-0 --zero', examples: { allow: ['rev a'], ask: ['rev .env'] } },
  join: {
    operands: 'read',
    plain: '-iz --ignore-case --check-order --nocheck-order --header --zero-terminated',
    takes: '-a -e -j -o -t -v -1 -2',
    examples: { allow: ['join -t, -1 2 -2 1 a b'], ask: ['join -i a .env'] },
  },
  'zcat gzcat bzcat xzcat zstdcat lz4cat': {
    operands: 'read',
    plain: '-fqvdck --force --quiet --verbose',
    examples: { allow: ['zcat a.gz'], ask: ['zcat -f .env', 'bzcat .env', 'xzcat --files=list'] },
  },
  look: {
    operands: 'read',
    first: 'text',
    plain: '-abdf --alternative --alphanum --ignore-case',
    takes: '-t --terminate',
    examples: { allow: ['look word'], ask: ["look -b '' .env"] },
  },
  pr: {
    operands: 'read',
    plain:
      '-abcdfFJmprtTv# --across --show-control-chars --double-space --form-feed --join-lines --merge --no-file-warnings --omit-header --omit-pagination --show-nonprinting',
    takes:
      '-h -l -o -w -W -N -D -L --header --length --indent --width --page-width --first-line-number --date-format --columns --pages',
    maybe: '-e -i -n -s -S',
    examples: { allow: ['pr -h title a', 'pr -3 a'], ask: ['pr -t .env', 'pr -n .env'] },
  },
  'csvlook hexyl': {
    operands: 'read',
    takes: '-n -s',
    examples: { allow: ['hexyl a'], ask: ['hexyl .env'] },
  },
  'less more zless zmore': {
    operands: 'read',
    plain:
      '-aABcCdeEfFgGiIJKLmMnNqQrRsSuUVwWX~# --search-skip-screen --auto-buffers --clear-screen --quit-at-eof --QUIT-AT-EOF --force --quit-if-one-screen --hilite-search --ignore-case --IGNORE-CASE --status-column --quit-on-intr --long-prompt --LONG-PROMPT --line-numbers --LINE-NUMBERS --quiet --raw-control-chars --RAW-CONTROL-CHARS --squeeze-blank-lines --chop-long-lines --no-init --mouse',
    takes: '-b -h -j -p -x -y -z -P --pattern --prompt --buffers --jump-target --tabs --window --shift',
    files: { '-o -O --log-file --LOG-FILE': 'write' },
    flags: { '-k -t -T --lesskey-file --lesskey-src --lesskey-content --tag --tag-file': 'code.inline' },
    examples: {
      allow: ['less README.md', 'less -N a'],
      ask: ['less -o out a', 'less +!id a', 'less -k x a', 'more -p .env'],
    },
  },
  xxd: {
    effect: 'text.decode',
    operands: 'read',
    last: 'write',
    longDash: true,
    plain: '-a -b -C -d -e -E -h -i -p -ps -r -u -v',
    takes: '-c -g -l -n -o -s -cols -groupsize -len -name -offset -seek',
    examples: { allow: ['xxd -r -p a', 'xxd -l 16 a'], ask: ['xxd a b', 'xxd -p .env', 'xxd -p a b'] },
  },
  'base64 base32 basenc': {
    effect: 'text.decode',
    operands: 'read',
    plain:
      '-dDh --decode --ignore-garbage --base64 --base64url --base32 --base32hex --base16 --base2msbf --base2lsbf --z85',
    takes: '-w -b --wrap --break',
    files: { '-o --output': 'write', '-i --input': 'read' },
    examples: {
      allow: ['base64 x', 'base64 -d x', 'base64 -w0 x'],
      ask: ['base64 -d .env', 'base64 -i .env', 'base64 -o a x'],
    },
  },
  tr: {
    effect: 'text.decode',
    plain: '-cCdstu --complement --delete --squeeze-repeats --truncate-set1',
    examples: { allow: ['tr a b', "tr -d '\\n'", "tr ' ' '\\n'"] },
  },
  uniq: {
    operands: 'read',
    last: 'write',
    plain: '-cdDiuz# --count --repeated --all-repeated --group --ignore-case --unique --zero-terminated',
    takes: '-f -s -w --skip-fields --skip-chars --check-chars',
    examples: { allow: ['uniq -c', 'uniq a'], ask: ['uniq a b', 'uniq -c a b', 'uniq -c .env'] },
  },
  'sort gsort': {
    operands: 'read',
    plain:
      '-bdfgiMhnRrVcCmsuz --ignore-leading-blanks --dictionary-order --ignore-case --general-numeric-sort --ignore-nonprinting --month-sort --human-numeric-sort --numeric-sort --random-sort --reverse --version-sort --check --debug --merge --stable --unique --zero-terminated',
    takes: '-k -t -S --key --field-separator --buffer-size --parallel --batch-size --sort',
    files: { '-o --output': 'write', '-T --temporary-directory': 'write' },
    flags: { '--compress-program': 'code.inline' },
    examples: {
      allow: ['sort -u a.txt', 'sort -k2,2n -t, x.csv', 'sort -k2 -n x', 'sort -rh'],
      ask: [
        'sort *',
        'sort -o out a',
        'sort -nEo out a',
        'sort --compress-prog=./x a',
        'sort -uo out a',
        'sort -n .env',
        'sort --files0-from=x',
      ],
    },
  },
  'jq gojq': {
    first: 'text',
    operands: 'read',
    plain:
      '-nrjascCMSeRhV --null-input --raw-output --raw-output0 --join-output --ascii-output --slurp --compact-output --color-output --monochrome-output --sort-keys --exit-status --raw-input --tab --unbuffered --stream --stream-errors --seq --args --jsonargs',
    takes: '--indent --arg --argjson',
    files: { '--slurpfile --rawfile': 'text' },
    flags: { '-f --from-file': 'code.inline' },
    examples: {
      allow: [
        "jq '.name' package.json",
        "jq -r '.scripts | keys[]' package.json",
        "jq --arg v 1 '.a' x.json",
      ],
      ask: [
        "jq -n 'env'",
        'jq . .env',
        'jq -r . .env',
        'jq -L x . y',
        'jq -f p.jq x',
        'jq --rawfile a .env -n 1',
      ],
    },
  },
  yq: {
    first: 'text',
    operands: 'read',
    plain:
      '-nrPCMSevNyY --null-input --raw-output --prettyPrint --colors --no-colors --exit-status --unwrapScalar --no-doc',
    takes: '-I -o -p --indent --output-format --input-format',
    flags: { '-i --inplace --in-place -s --split-exp': 'fs.write-option' },
    examples: { allow: ["yq '.a' x.yaml"], ask: ["yq -i '.a=1' x.yaml", 'yq -s .a x.yaml'] },
  },
}
