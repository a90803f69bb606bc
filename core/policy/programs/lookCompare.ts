import type { ProgramTable } from './program.ts'

/** Programs that compare files, or say their checksum. */
export const lookCompare: ProgramTable = {
  comm: {
    operands: 'read',
    plain: '-123iz --check-order --nocheck-order --total --zero-terminated',
    takes: '--output-delimiter',
    examples: { allow: ['comm -12 a b'], ask: ['comm -3 a .env'] },
  },
  'cksum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum sum md5 shasum gsha256sum': {
    operands: 'read',
    plain:
      '-bcwtzrspqxU0 --binary --check --tag --text --zero --ignore-missing --quiet --status --strict --warn --untagged --base64 --raw --debug --sysv --portable --UNIVERSAL --01',
    takes: '-a -l -o --algorithm --length',
    examples: {
      allow: ['sha256sum x.tgz', 'sha256sum -c SHA256SUMS', 'shasum -a 256 x'],
      ask: ['sha256sum -c .env', 'md5sum -b .env'],
    },
  },
  'diff gdiff colordiff': {
    operands: 'read',
    plain:
      '-uyqscrNaBbwiEZptTendHP# --normal --brief --report-identical-files --context --unified --ed --rcs --side-by-side --left-column --suppress-common-lines --show-c-function --expand-tabs --initial-tab --suppress-blank-empty --recursive --no-dereference --new-file --unidirectional-new-file --ignore-file-name-case --no-ignore-file-name-case --ignore-case --ignore-tab-expansion --ignore-trailing-space --ignore-space-change --ignore-all-space --ignore-blank-lines --text --strip-trailing-cr --minimal --speed-large-files --color',
    takes:
      '-U -C -W -x -F -I -L -S -D --width --exclude --show-function-line --ignore-matching-lines --label --tabsize --starting-file --ifdef --line-format --old-line-format --new-line-format --unchanged-line-format --old-group-format --new-group-format --unchanged-group-format --changed-group-format --horizon-lines --palette',
    files: { '-X --exclude-from --from-file --to-file': 'read' },
    examples: {
      allow: ['diff a b', 'diff -u a b', 'diff -rq a b', 'diff -U3 a b'],
      ask: ['diff -N a .env', 'diff -r a b', 'diff . ../b', 'diff --from-file=.env a'],
    },
  },
  cmp: {
    operands: 'read',
    plain: '-blsczh --print-bytes --verbose --quiet --silent',
    takes: '-i -n --ignore-initial --bytes',
    examples: { allow: ['cmp a b', 'cmp -n 5 a b'], ask: ['cmp -l .env /dev/null'] },
  },
}
