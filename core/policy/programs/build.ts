import type { Program, ProgramTable } from './program.ts'

const runsProject: Program = { effect: 'code.run-project', free: true, network: true }
const installs: Program = { effect: 'package.install', network: true }
const queries: Program = { effect: 'package.query', network: true }
const publishes: Program = { effect: 'package.publish', network: true }
const runsPackage: Program = { effect: 'package.run', network: true, free: true }

/** Package managers, build tools, test runners: what runs a project's own code or brings in another's. */
export const build: ProgramTable = {
  // yarn and pnpm may start a version of themselves that the project brings along, even for --version.
  'yarn pnpm bun': {
    subcommands: {
      'ls list ll la why outdated info view audit --version -v': queries,
      'install i in add ci remove uninstall rm update up upgrade dedupe rebuild link import prune create':
        installs,
      'dlx exec x': runsPackage,
      'publish unpublish npm-publish owner login logout': publishes,
    },
    other: 'code.run-project',
    bare: 'package.install',
    network: true,
    examples: {
      ask: ['yarn', 'yarn --version', 'pnpm ls', 'pnpm install', 'yarn build', 'pnpm dlx x', 'bun run x'],
    },
  },
  npm: {
    subcommands: {
      'ls list ll la why explain root prefix bin help-search --version -v help': {},
      'outdated view info show v search audit ping whoami doctor': {
        effect: 'package.query',
        network: true,
        flags: { '--fix': 'package.install' },
      },
      'install i in add ci install-test it update up upgrade dedupe ddp rebuild link ln import prune audit-fix clean-install create remove uninstall rm un unlink':
        installs,
      'test t tst run run-script start stop restart build dev lint format check typecheck preview serve watch pack prepare rb':
        runsProject,
      'exec x dlx npx': runsPackage,
      'publish unpublish deprecate dist-tag owner access team login logout adduser token profile star hook':
        publishes,
      'config c get set': { effect: 'secrets.tool-config' },
      'cache store': { effect: 'package.cache' },
      'version init': { effect: 'fs.project-file' },
    },
    other: 'code.run-project',
    bare: 'package.install',
    network: true,
    takes: '--prefix -C --dir --cwd -w --workspace --filter -F',
    flags: { '--script-shell --globalconfig --userconfig --node-options': 'code.inline' },
    examples: {
      allow: ['npm ls', 'npm --version', 'npm ls --depth=0'],
      ask: [
        'npm install',
        'npm install left-pad',
        'npm test',
        'npm run build',
        'npm view react',
        'npm publish',
        'npm config get x',
        'npm --prefix x install',
        'npm exec x',
      ],
    },
  },
  'npx bunx pnpx uvx pipx tsx-dlx': {
    ...runsPackage,
    examples: { ask: ['npx cowsay hi', 'npx tsc --noEmit'] },
  },
  'pip pip3': {
    subcommands: {
      'list show freeze check --version help debug': {},
      'install download wheel uninstall': installs,
      'index search': queries,
      config: { effect: 'secrets.tool-config' },
      cache: { effect: 'package.cache' },
    },
    other: 'package.install',
    bare: 'info',
    examples: { allow: ['pip list', 'pip --version'], ask: ['pip install x', 'pip index versions x'] },
  },
  'uv poetry pipenv pdm rye hatch conda mamba micromamba': {
    subcommands: {
      '--version version': {},
      'list show info tree': queries,
      'add install sync lock remove update upgrade pip create': installs,
      run: runsProject,
      'publish config self': publishes,
    },
    other: 'code.run-project',
    bare: 'info',
    examples: { allow: ['uv --version'], ask: ['uv add x', 'poetry show', 'poetry run pytest'] },
  },
  cargo: {
    subcommands: {
      '--version -V version help --list': {},
      'test t build b run r check c clippy bench doc rustc rustdoc miri nextest fmt clean fix': runsProject,
      'add install update fetch uninstall remove vendor generate-lockfile': installs,
      'search info outdated audit tree metadata': queries,
      'publish yank owner login logout': publishes,
      'new init': { effect: 'fs.project-file' },
    },
    other: 'code.run-project',
    bare: 'info',
    flags: { '--config': 'code.inline' },
    examples: {
      allow: ['cargo --version'],
      ask: ['cargo test', 'cargo tree', 'cargo build --release', 'cargo add serde', 'cargo publish'],
    },
  },
  go: {
    subcommands: {
      'version help': {},
      'list doc': queries,
      env: { flags: { '-w -u': 'secrets.tool-config' } },
      'test build run vet generate tool fix bug': runsProject,
      'get install mod work': installs,
      'fmt clean': { effect: 'fs.project-file' },
    },
    other: 'code.run-project',
    bare: 'info',
    longDash: true,
    examples: {
      allow: ['go version', 'go env GOPATH'],
      ask: ['go test ./...', 'go list ./...', 'go get x', 'go env -w GOFLAGS=-x', 'go fmt'],
    },
  },
  'make gmake ninja just task rake gradle gradlew ./gradlew mvn mvnw ant sbt lein bazel buck pants cmake ctest meson xcodebuild msbuild dotnet-test scons waf tox nox invoke grunt gulp turbo nx lerna rush mage earthly dagger':
    {
      ...runsProject,
      subcommands: { '--version -v -version': {} },
      other: 'code.run-project',
      bare: 'code.run-project',
      examples: {
        allow: ['make --version'],
        ask: ['make', 'make test', 'make -n', 'gradle build', 'mvn test', 'cmake --build .', 'make -f x'],
      },
    },
  'pytest py.test jest vitest mocha ava tap c8 nyc playwright cypress phpunit rspec minitest tsc tsx ts-node vite webpack rollup esbuild parcel next nuxt astro svelte-kit remix eslint prettier biome rome stylelint standard xo ruff black isort flake8 pylint mypy pyright pyre bandit rubocop golangci-lint gofmt goimports rustfmt clang-format clang-tidy shellcheck hadolint yamllint markdownlint actionlint husky lint-staged pre-commit lefthook nodemon pm2 concurrently storybook prisma drizzle-kit knex sequelize alembic django-admin flask uvicorn gunicorn rails bundle bundler gem-exec composer-run artisan hugo jekyll mkdocs sphinx-build zig swift swiftc rustc gcc g++ cc c++ clang clang++ javac scalac kotlinc ghc ocaml dune stack cabal mix elixir rebar3 flutter dart pod fastlane expo react-native ng vue deno hyperfine entr watchexec':
    {
      ...runsProject,
      subcommands: { '--version -V -v version': {} },
      other: 'code.run-project',
      bare: 'code.run-project',
      examples: {
        allow: ['tsc --version', 'pytest --version', 'gcc --version'],
        ask: [
          'tsc --noEmit',
          'pytest -q',
          'vitest run',
          'eslint .',
          'black .',
          'gcc a.c',
          'prisma migrate deploy',
        ],
      },
    },
  'composer dotnet rustup mise': {
    subcommands: { '--version -v --list-sdks': {} },
    other: 'package.install',
    bare: 'info',
    network: true,
    examples: {
      allow: ['dotnet --list-sdks'],
      ask: ['composer show', 'composer install', 'rustup update', 'dotnet list package'],
    },
  },
  'gem nuget luarocks cpan cpanm hex opam nvm fnm volta asdf pyenv rbenv sdk corepack n ghcup helm-plugin krew':
    {
      subcommands: { '--version -v list current which ls': {} },
      other: 'package.install',
      bare: 'info',
      network: true,
      examples: { allow: ['gem list', 'nvm ls'], ask: ['gem install x'] },
    },
  'python python2 python3 pypy pypy3 node nodejs perl ruby php lua luajit Rscript R julia java scala kotlin groovy tclsh expect guile racket sbcl clojure bb erl iex irb ghci gnuplot octave osascript-js qjs bun-run deno-run':
    {
      effect: 'code.run-file',
      examples: {
        allow: ['node --version', 'python3 -V', 'python --version'],
        ask: [
          'node app.js',
          'python3 -c "print(1)"',
          'python3 x.py',
          'node -e 1',
          'node',
          'perl -e 1',
          'python3 -m http.server',
        ],
      },
    },
}
