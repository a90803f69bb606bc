import { around, token, type Watch } from './watch.ts'

/** Shapes of tokens that makers of services gave theirs of late, from their documentation. */
export const newerFormats: readonly Watch[] = [
  token(
    'api key',
    [
      'PMAK-',
      'CFPAT-',
      'pat-na1-',
      'pat-eu1-',
      'pcsk_',
      'tgp_v1_',
      'lsv2_',
      'rdme_',
      'pnu_',
      'sgp_',
      'shippo_',
    ],
    /(?:PMAK-|CFPAT-|pat-(?:na|eu)1-|pcsk_|tgp_v1_|lsv2_(?:pt|sk)_|rdme_|pnu_|sgp_|shippo_(?:live|test)_)[A-Za-z0-9_-]{24,200}/,
    true,
  ),
  token(
    'api key',
    [
      'pscale_pw_',
      'pscale_oauth_',
      'lin_oauth_',
      'bkua_',
      'ddp_',
      'aio_',
      'sb_secret_',
      'sqp_',
      'squ_',
      'sqa_',
    ],
    /(?:pscale_(?:pw|oauth)_|lin_oauth_|bkua_|ddp_|aio_|sb_secret_|sq[pua]_)[A-Za-z0-9_.-]{24,200}/,
    true,
  ),
  token(
    'api key',
    ['AKCp', 'FLWSECK', 'LTAI', 'EZAK', 'EZTK'],
    /(?:AKCp[A-Za-z0-9]{60,80}|FLWSECK(?:_TEST)?-[A-Za-z0-9]{20,60}-X|LTAI[A-Za-z0-9]{16,24}(?![A-Za-z0-9])|EZ[AT]K[A-Za-z0-9]{50,60}(?![A-Za-z0-9]))/,
    true,
  ),
  token('mapbox token', ['sk.eyJ'], /sk\.eyJ[A-Za-z0-9_-]{20,300}\.[A-Za-z0-9_-]{16,80}/),
  token('dropbox token', ['sl.u.', 'sl.b'], /sl\.[A-Za-z0-9_-]{100,1500}/, true),
  {
    words: ['.atlasv1.'],
    look: around(
      'terraform token',
      /(?<![A-Za-z0-9])[A-Za-z0-9]{14}$/,
      /^[A-Za-z0-9_=-]{60,70}(?![A-Za-z0-9])/,
    ),
  },
  {
    words: ['8Q~'],
    look: around('azure secret', /[A-Za-z0-9_~.-]{3}$/, /^[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])/),
  },
]
