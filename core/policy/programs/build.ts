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
      'ls list ll la why explain root prefix bin --version -v': {
        plain:
          '-alpg --all --long --parseable --json --global --prod --production --dev --only --unicode --link',
        takes: '--depth --omit --include --location',
      },
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
    plain: '-s --silent --no-color --color --workspaces -q --quiet',
    takes: '-w --workspace --loglevel',
    files: { '--prefix -C --dir --cwd': 'list' },
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
        'npm --prefix /x ls',
        'npm ls --globalconfig=x',
        'npm ls --userconfig x',
        'npm --node-opt=x ls',
        'npm --foo ls test',
        'npm help ls',
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
      'list show freeze check --version': {
        plain:
          '-eflqv --editable --exclude-editable --local --user --files --verbose --quiet --not-required --all --include-editable --no-color --disable-pip-version-check',
        takes: '--format --exclude',
      },
      'install download wheel uninstall': installs,
      'index search': queries,
      config: { effect: 'secrets.tool-config' },
      cache: { effect: 'package.cache' },
    },
    other: 'package.install',
    bare: 'info',
    examples: {
      allow: ['pip list', 'pip --version', 'pip show requests'],
      ask: [
        'pip install x',
        'pip index versions x',
        'pip list --log x',
        'pip list --log=x',
        'pip --python ./x list',
        'pip list -o',
        'pip freeze -r x',
        'pip list --path x',
      ],
    },
  },
  uv: {
    // `uv version 1.2` sets the project's, and brings its packages in.
    subcommands: { '--version -V': {}, 'add install sync lock remove pip version': installs },
    other: 'code.run-project',
    bare: 'info',
    examples: {
      allow: ['uv --version'],
      ask: ['uv add x', 'uv run pytest', 'uv version 1.2.3', 'uv --config-file x version'],
    },
  },
  // Some of them load plugins that the project names, whatever they are asked.
  'poetry pipenv pdm rye hatch conda mamba micromamba': {
    subcommands: {
      'list show info tree': queries,
      'add install sync lock remove update upgrade pip create': installs,
      run: runsProject,
      'publish config self': publishes,
    },
    other: 'code.run-project',
    bare: 'code.run-project',
    examples: { ask: ['poetry show', 'poetry run pytest', 'pdm --version'] },
  },
  // rust-toolchain.toml names a version that rustup fetches, or a directory of the project whose programs it starts: for
  // whatever is asked, the version too.
  cargo: {
    subcommands: {
      'test t build b run r check c clippy bench doc rustc rustdoc miri nextest fmt clean fix': runsProject,
      'add install update fetch uninstall remove vendor generate-lockfile': installs,
      'search info outdated audit tree metadata': queries,
      'publish yank owner login logout': publishes,
      'new init': { effect: 'fs.project-file' },
    },
    other: 'code.run-project',
    bare: 'code.run-project',
    network: true,
    flags: { '--config': 'code.inline' },
    examples: {
      ask: [
        'cargo --version',
        'cargo +nightly --version',
        'cargo',
        'cargo test',
        'cargo tree',
        'cargo build --release',
        'cargo add serde',
        'cargo publish',
      ],
    },
  },
  // The toolchain line of go.mod or go.work names a version that go fetches and starts in its place, whatever is asked.
  go: {
    subcommands: {
      'list doc': queries,
      env: { effect: 'code.run-project', network: true, flags: { '-w -u': 'secrets.tool-config' } },
      'test build run vet generate tool fix bug': runsProject,
      'get install mod work': installs,
      'fmt clean': { effect: 'fs.project-file' },
    },
    other: 'code.run-project',
    bare: 'code.run-project',
    network: true,
    longDash: true,
    examples: {
      ask: [
        'go version',
        'go env GOPATH',
        'go',
        'go version -m x',
        'go env -C x',
        'go test ./...',
        'go list ./...',
        'go get x',
        'go env -w GOFLAGS=-x',
        'go fmt',
      ],
    },
  },
  'just task rake gradle gradlew ./gradlew mvn mvnw ant sbt lein bazel buck pants ctest xcodebuild msbuild dotnet-test scons waf tox nox invoke grunt gulp turbo nx lerna rush mage earthly dagger':
    {
      ...runsProject,
      other: 'code.run-project',
      bare: 'code.run-project',
      examples: {
        ask: ['nx --version', 'mvn -v', 'gradle build', 'gradle --version', 'mvn test'],
      },
    },
  // These say their version before they read anything of the project.
  'make gmake ninja cmake meson zig swiftc gcc g++ cc c++ clang clang++ javac scalac kotlinc ghc ocaml shellcheck ruff':
    {
      ...runsProject,
      subcommands: { '--version': {} },
      other: 'code.run-project',
      bare: 'code.run-project',
      examples: {
        allow: ['make --version', 'gcc --version'],
        ask: ['make', 'make test', 'make -n', 'make -f x', 'cmake --build .', 'gcc a.c', 'gcc -v'],
      },
    },
  'pytest py.test jest vitest mocha ava tap c8 nyc playwright cypress phpunit rspec minitest tsc tsx ts-node vite webpack rollup esbuild parcel next nuxt astro svelte-kit remix eslint prettier rome stylelint standard xo black isort flake8 pylint mypy pyright pyre bandit rubocop golangci-lint gofmt goimports rustfmt clang-format clang-tidy hadolint yamllint markdownlint actionlint husky lint-staged pre-commit lefthook nodemon pm2 concurrently storybook prisma drizzle-kit knex sequelize alembic django-admin flask uvicorn gunicorn rails bundle bundler gem-exec composer-run artisan hugo jekyll mkdocs sphinx-build swift dune stack cabal mix elixir rebar3 rustc rustdoc clippy-driver rust-analyzer rust-gdb rust-lldb flutter dart pod fastlane expo react-native ng vue deno hyperfine entr watchexec biome':
    {
      ...runsProject,
      other: 'code.run-project',
      bare: 'code.run-project',
      examples: {
        ask: [
          'pytest --version',
          'tsc --version',
          'rustc --version',
          'rails --version',
          'webpack --version',
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
  'composer dotnet rustup mise nuget luarocks': {
    subcommands: { '--list-sdks': {} },
    other: 'package.install',
    bare: 'package.install',
    network: true,
    examples: {
      allow: ['dotnet --list-sdks'],
      ask: ['composer show', 'composer install', 'rustup update', 'dotnet list package'],
    },
  },
  'cpan cpanm hex corepack n ghcup helm-plugin krew': {
    effect: 'package.install',
    network: true,
    examples: { ask: ['cpan list', 'n current', 'corepack enable'] },
  },
  'gem opam nvm fnm volta asdf pyenv rbenv sdk': {
    subcommands: { '--version -v list current which ls versions': { plain: '-l --local' } },
    other: 'package.install',
    bare: 'info',
    network: true,
    examples: {
      allow: ['gem list', 'nvm ls'],
      ask: ['gem install x', 'gem list -r', 'gem --config-file x list'],
    },
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
