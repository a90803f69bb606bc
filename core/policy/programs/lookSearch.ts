import type { ProgramTable } from './program.ts'

/** Programs that look for text in files. What a search of many files may show is judged in describeSearch. */
export const lookSearch: ProgramTable = {
  'grep egrep fgrep rgrep ggrep zgrep zegrep zfgrep bzgrep xzgrep': {
    first: 'text',
    operands: 'read',
    firstUnless: '-e -f --regexp --file',
    plain:
      '-EFGPiyvwxcLloqsbHhnTUuZzarRIOpS# --extended-regexp --fixed-strings --basic-regexp --perl-regexp --ignore-case --no-ignore-case --invert-match --word-regexp --line-regexp --count --color --colour --files-without-match --files-with-matches --only-matching --quiet --silent --no-messages --byte-offset --with-filename --no-filename --line-number --initial-tab --unix-byte-offsets --null --text --recursive --dereference-recursive --line-buffered --binary --null-data --no-group-separator --context',
    takes:
      '-m -A -B -C -d -D --max-count --after-context --before-context --include --exclude --exclude-dir --binary-files --label --directories --devices --group-separator',
    texts: '-e --regexp',
    files: { '-f --file --exclude-from': 'read' },
    examples: {
      allow: [
        'grep -rn TODO src',
        'grep -e x -e y f',
        'grep -rn foo .',
        'grep --color foo a',
        "grep -rnE 'foo|bar' src",
        "grep -rn password --include='*.ts' src",
        'grep -rl . src',
        "grep -rn '' --exclude-dir=x --include=*.md .",
      ],
      ask: [
        'grep KEY .env',
        'grep -n KEY .env',
        "grep -rn '' .",
        'grep -rn = .',
        'grep -rn PASSWORD .',
        'grep -rnv zzzz .',
        'grep --color x .env',
        'grep -rn foo --include=.env .',
        "grep -rn 'foo|' .",
        'grep -rnA 99 foo .',
        'grep -rf pats .',
      ],
      deny: ['grep root /etc/shadow', 'grep -n root /etc/shadow'],
    },
  },
  rg: {
    first: 'text',
    operands: 'read',
    firstUnless: '-e -f --regexp --file --files --type-list',
    plain:
      '-.0abcFHhIiLlNnopPqSsUuVvwx --files --files-with-matches --files-without-match --count --count-matches --line-number --no-line-number --ignore-case --smart-case --case-sensitive --word-regexp --line-regexp --invert-match --only-matching --quiet --fixed-strings --no-fixed-strings --pcre2 --no-pcre2 --multiline --multiline-dotall --no-multiline --with-filename --no-filename --null --null-data --text --heading --no-heading --column --no-column --trim --stats --vimgrep --json --pretty --crlf --follow --no-follow --one-file-system --passthru --passthrough --byte-offset --hidden --no-hidden --unrestricted --no-ignore --no-ignore-vcs --no-ignore-dot --no-ignore-exclude --no-ignore-files --no-ignore-global --no-ignore-parent --no-ignore-messages --no-messages --no-config --type-list --line-buffered --block-buffered --mmap --no-mmap --include-zero --auto-hybrid-regex --no-unicode --glob-case-insensitive --max-columns-preview --sort-files --no-require-git --binary --no-context-separator',
    takes:
      '-A -B -C -E -M -T -t -d -g -j -m -r --after-context --before-context --context --color --colors --glob --iglob --type --type-not --type-add --type-clear --max-count --max-depth --maxdepth --max-filesize --max-columns --replace --sort --sortr --threads --engine --encoding --context-separator --field-context-separator --field-match-separator --path-separator --dfa-size-limit --regex-size-limit --hyperlink-format',
    texts: '-e --regexp',
    files: { '-f --file --ignore-file': 'read' },
    flags: { '--pre --hostname-bin': 'code.inline' },
    examples: {
      allow: ['rg foo', 'rg -g "*.ts" foo src', 'rg -n foo', 'rg -tts foo', 'rg --hidden foo', 'rg password'],
      ask: [
        'rg --pre ./x foo',
        'rg --pre=sh foo',
        'rg -z foo',
        'rg -uuu .',
        "rg --hidden ''",
        'rg --no-ignore TOKEN',
        'rg foo -g .env',
        'rg --hid .',
      ],
    },
  },
  ag: {
    first: 'text',
    operands: 'read',
    plain:
      '-acDFHhiLlnoQRrSsUutvVw0 --ackmate --all-types --all-text --break --nobreak --case-sensitive --color --nocolor --column --count --filename --nofilename --files-with-matches --files-without-matches --fixed-strings --follow --group --nogroup --heading --noheading --hidden --ignore-case --invert-match --literal --list-file-types --match --multiline --nomultiline --norecurse --null --numbers --nonumbers --only-matching --one-device --print-all-files --print-long-lines --recurse --silent --smart-case --skip-vcs-ignores --stats --stats-only --unrestricted --vimgrep --word-regexp',
    takes:
      '-A -B -C -G -m -W -g --after --before --context --file-search-regex --ignore --ignore-dir --depth --max-count --width --workers',
    flags: { '--pager': 'code.inline' },
    examples: {
      allow: ['ag foo', 'ag foo src'],
      ask: ['ag --pager ./x foo', 'ag -u .', 'ag -r K .env', "ag --hidden ''", 'ag -z foo', 'ag -p x foo'],
      deny: ['ag -r K ~/.ssh/id_rsa'],
    },
  },
  'ack ack-grep': {
    first: 'text',
    operands: 'read',
    plain:
      '-cHhiIlLnoQRrsSvwx1 --count --with-filename --no-filename --ignore-case --no-smart-case --files-with-matches --files-without-matches --literal --recurse --no-recurse --invert-match --word-regexp --color --nocolor --group --nogroup --column --break --heading --noenv --sort-files --show-types --smart-case',
    takes: '-A -B -C -m -t -T --after-context --before-context --context --max-count --type --ignore-dir',
    flags: { '--pager': 'code.inline' },
    examples: {
      allow: ['ack foo src'],
      ask: ['ack --output=x foo', "ack ''", 'ack --ackrc=x foo', 'ack -i K .env'],
    },
  },
}
