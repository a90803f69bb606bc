/*
 * Questions with known answers, written by hand as people ask: few use the words of what they look for alone. A memory is
 * a directory, what was asked, the commands (a `!` before one that failed), and what a failed one printed.
 */
export type Told = readonly [cwd: string, request: string, commands: readonly string[], said?: string]
export type Topic = { ask: string; answers: readonly Told[] }

export const topics: readonly Topic[] = [
  {
    ask: 'why do the login tests break',
    answers: [
      [
        '/work/api',
        'run the tests',
        ['!npm test'],
        'FAIL auth/login.test.ts\nError: token expired at loginForm',
      ],
      ['/work/api', 'test only the login', ['!npm test -- login'], 'expected 200 to be 401'],
    ],
  },
  {
    ask: 'deploy the shop to staging',
    answers: [
      ['/work/shop', 'ship the shop to the staging server', ['npm run build', 'npm run deploy:staging']],
    ],
  },
  {
    ask: 'renew the certificate of the website',
    answers: [
      ['/srv/www', 'the TLS certificate runs out, renew it', ['certbot renew', 'systemctl reload nginx']],
    ],
  },
  {
    ask: 'the disk is full again',
    answers: [
      ['/var', 'what takes all the disk space', ['df -h', 'du -sh /var/*']],
      ['/var/log', 'make room on the disk', ['journalctl --vacuum-size=200M']],
    ],
  },
  {
    ask: 'take a backup of the customer database',
    answers: [
      ['/work/crm', 'dump the customers database to a file', ['pg_dump -Fc customers -f customers.dump']],
    ],
  },
  {
    ask: 'postgres does not accept connections',
    answers: [
      [
        '/work/crm',
        'migrate the database',
        ['!npx prisma migrate deploy'],
        'FATAL: too many connections for role crm',
      ],
    ],
  },
  {
    ask: 'port 3000 is taken',
    answers: [
      [
        '/work/api',
        'start the server',
        ['!npm start'],
        'Error: listen EADDRINUSE: address already in use :::3000',
      ],
    ],
  },
  {
    ask: 'npm install fails with a peer dependency',
    answers: [
      [
        '/work/shop',
        'install the packages',
        ['!npm install'],
        'npm error ERESOLVE could not resolve peer react@17',
      ],
    ],
  },
  {
    ask: 'how did we upgrade react',
    answers: [
      [
        '/work/shop',
        'move to React 19',
        ['npm install react@19 react-dom@19', 'npx codemod react/19', 'npm test'],
      ],
    ],
  },
  {
    ask: 'out of memory while bundling',
    answers: [
      [
        '/work/shop',
        'bundle for production',
        ['!npm run build'],
        'FATAL ERROR: JavaScript heap out of memory',
      ],
    ],
  },
  {
    ask: 'flaky browser tests',
    answers: [
      [
        '/work/shop',
        'run the end to end tests',
        ['!npx playwright test'],
        'Timeout 30000ms exceeded waiting for locator',
      ],
    ],
  },
  {
    ask: 'list the docker containers that restart all the time',
    answers: [['/srv/stack', 'which containers keep restarting', ['docker ps --filter status=restarting']]],
  },
  {
    ask: 'the image does not build for arm',
    answers: [
      [
        '/srv/stack',
        'build the container for the raspberry',
        ['!docker buildx build --platform linux/arm64 .'],
        'exec format error',
      ],
    ],
  },
  {
    ask: 'rotate the log files',
    answers: [['/etc/logrotate.d', 'logs of nginx grow without end, rotate them', ['logrotate -f nginx']]],
  },
  {
    ask: 'undo my last commit',
    answers: [['/work/notes', 'take back the last commit but keep the changes', ['git reset --soft HEAD~1']]],
  },
  {
    ask: 'who changed the invoice totals',
    answers: [
      [
        '/work/billing',
        'find who touched the total of the invoice',
        ['git log -S computeTotal -- src/invoice.ts', 'git blame src/invoice.ts'],
      ],
    ],
  },
  {
    ask: 'rounding is wrong on invoices',
    answers: [
      [
        '/work/billing',
        'test the billing',
        ['!pytest tests/test_rounding.py'],
        "AssertionError: Decimal('10.01') != Decimal('10.00')",
      ],
    ],
  },
  {
    ask: 'send the monthly report',
    answers: [
      [
        '/work/reports',
        'make the report of the month and mail it',
        ['python3 report.py --month', 'mail -s report boss < out.txt'],
      ],
    ],
  },
  {
    ask: 'pandas is missing',
    answers: [
      [
        '/work/reports',
        'make the sales report',
        ['!python3 report.py'],
        "ModuleNotFoundError: No module named 'pandas'",
      ],
    ],
  },
  {
    ask: 'format all go files',
    answers: [['/work/proxy', 'gofmt everything', ['gofmt -w .']]],
  },
  {
    ask: 'data race in the proxy',
    answers: [
      ['/work/proxy', 'test for races', ['!go test -race ./...'], 'WARNING: DATA RACE write at cache.go:88'],
    ],
  },
  {
    ask: 'cargo complains about the borrow checker',
    answers: [
      [
        '/work/parser',
        'compile the parser',
        ['!cargo build'],
        'error[E0502]: cannot borrow `tokens` as mutable',
      ],
    ],
  },
  {
    ask: 'publish the crate',
    answers: [
      ['/work/parser', 'release version 0.3 to crates.io', ['cargo publish --dry-run', 'cargo publish']],
    ],
  },
  {
    ask: 'resize the product pictures',
    answers: [['/work/shop/images', 'make thumbnails of all photos', ['mogrify -resize 400x400 *.jpg']]],
  },
  {
    ask: 'convert the video for the phone',
    answers: [
      ['/home/ana/films', 'shrink the holiday film', ['ffmpeg -i holiday.mov -vf scale=1280:-2 holiday.mp4']],
    ],
  },
  {
    ask: 'sync photos to the nas',
    answers: [
      [
        '/home/ana/photos',
        'copy new pictures to the storage box',
        ['rsync -av --ignore-existing . nas:/photos'],
      ],
    ],
  },
  {
    ask: 'what keeps the machine so busy',
    answers: [['/', 'why is the processor at full load', ['uptime', 'ps aux --sort=-%cpu']]],
  },
  {
    ask: 'is the mail server alive',
    answers: [['/etc/postfix', 'check that mails go out', ['systemctl status postfix', 'mailq']]],
  },
  {
    ask: 'block an address that guesses passwords',
    answers: [
      ['/etc', 'somebody tries ssh logins, ban that ip', ['fail2ban-client set sshd banip 203.0.113.9']],
    ],
  },
  {
    ask: 'ssh key is refused by github',
    answers: [
      ['/work/notes', 'push the notes', ['!git push'], 'git@github.com: Permission denied (publickey).'],
    ],
  },
  {
    ask: 'merge conflict in the changelog',
    answers: [
      [
        '/work/api',
        'bring my branch up to date',
        ['!git rebase main'],
        'CONFLICT (content): Merge conflict in CHANGELOG.md',
      ],
    ],
  },
  {
    ask: 'clean up old branches',
    answers: [
      [
        '/work/api',
        'delete branches that are merged',
        ['git branch --merged main', 'git branch -d fix-typo old-auth'],
      ],
    ],
  },
  {
    ask: 'speed up the slow query on orders',
    answers: [
      [
        '/work/shop',
        'why does the order list take seconds',
        [
          'psql -c "EXPLAIN ANALYZE SELECT * FROM orders"',
          'psql -c "CREATE INDEX orders_customer ON orders (customer_id)"',
        ],
      ],
    ],
  },
  {
    ask: 'redis lost the sessions',
    answers: [
      [
        '/srv/stack',
        'users are logged out all the time',
        ['redis-cli info persistence', 'redis-cli config set appendonly yes'],
      ],
    ],
  },
  {
    ask: 'translate the app into german',
    answers: [
      [
        '/work/app',
        'extract texts and add a german translation',
        ['npx i18next "src/**/*.tsx"', 'npm run translate -- de'],
      ],
    ],
  },
  {
    ask: 'app crashes on android start',
    answers: [
      [
        '/work/app',
        'build the android version',
        ['!./gradlew assembleDebug'],
        'Execution failed for task :app:mergeDebugResources',
      ],
    ],
  },
  {
    ask: 'sign the ios build',
    answers: [['/work/app', 'make an ipa for testflight', ['xcodebuild archive', 'fastlane pilot upload']]],
  },
  {
    ask: 'lint warnings in the styles',
    answers: [
      ['/work/app', 'check the css', ['!npx stylelint "**/*.css"'], 'Unexpected unknown property "colour"'],
    ],
  },
  {
    ask: 'rename every getUser to fetchUser',
    answers: [['/work/api', 'rename getUser everywhere', ['npx jscodeshift -t rename.js src', 'npm test']]],
  },
  {
    ask: 'count lines of code',
    answers: [['/work/api', 'how big is the code base', ['cloc .']]],
  },
  {
    ask: 'todo list in the source',
    answers: [['/work/api', 'show all TODO and FIXME', ['grep -rn "TODO\\|FIXME" src']]],
  },
  {
    ask: 'set up continous integration',
    answers: [
      [
        '/work/parser',
        'add a CI workflow',
        ['mkdir -p .github/workflows', 'git commit -m "CI: build and test"'],
      ],
    ],
  },
  {
    ask: 'vulnerable packages',
    answers: [
      [
        '/work/shop',
        'security audit of dependencies',
        ['!npm audit'],
        '3 high severity vulnerabilities in lodash',
      ],
    ],
  },
  {
    ask: 'which packages are old',
    answers: [['/work/shop', 'what is outdated', ['npm outdated']]],
  },
  {
    ask: 'free memory on the server',
    answers: [['/', 'how much RAM is left', ['free -h']]],
  },
  {
    ask: 'kubernetes pod does not start',
    answers: [
      [
        '/work/infra',
        'roll out the gateway',
        ['kubectl apply -f gateway.yaml', '!kubectl rollout status deploy/gateway'],
        'ImagePullBackOff: unauthorized',
      ],
    ],
  },
  {
    ask: 'terraform state is locked',
    answers: [
      ['/work/infra', 'plan the network change', ['!terraform plan'], 'Error acquiring the state lock'],
    ],
  },
  {
    ask: 'cheaper virtual machines',
    answers: [['/work/infra', 'find instances that idle', ['aws ec2 describe-instances', 'python3 idle.py']]],
  },
  {
    ask: 'dns of the new domain',
    answers: [
      ['/work/infra', 'check that example.org points to us', ['dig +short example.org', 'whois example.org']],
    ],
  },
  {
    ask: 'the printer in the office hangs',
    answers: [
      ['/etc/cups', 'print jobs are stuck', ['lpstat -o', 'cancel -a office', 'systemctl restart cups']],
    ],
  },
  {
    ask: 'time on the server is off',
    answers: [['/', 'clock is five minutes late', ['timedatectl', 'systemctl restart systemd-timesyncd']]],
  },
  {
    ask: 'wlan drops on the laptop',
    answers: [
      [
        '/home/ana',
        'wifi disconnects every hour',
        ['nmcli device wifi', '!iwconfig wlan0 power off'],
        'Error for wireless request',
      ],
    ],
  },
  {
    ask: 'make the pdf of the thesis',
    answers: [['/home/ana/thesis', 'compile the thesis', ['latexmk -pdf thesis.tex']]],
  },
  {
    ask: 'undefined reference in latex',
    answers: [
      [
        '/home/ana/thesis',
        'build chapter 3',
        ['!latexmk -pdf chapter3.tex'],
        'LaTeX Warning: Reference fig:setup undefined',
      ],
    ],
  },
  {
    ask: 'train the classifier again',
    answers: [
      [
        '/work/ml',
        'retrain the model with new labels',
        ['python3 train.py --epochs 20', 'python3 evaluate.py'],
      ],
    ],
  },
  {
    ask: 'cuda runs out of memory',
    answers: [
      [
        '/work/ml',
        'train with larger batches',
        ['!python3 train.py --batch 256'],
        'torch.cuda.OutOfMemoryError: CUDA out of memory',
      ],
    ],
  },
  {
    ask: 'duplicate rows in the csv',
    answers: [
      [
        '/work/reports',
        'remove repeated lines from sales.csv',
        ['sort -u sales.csv -o sales.csv', 'wc -l sales.csv'],
      ],
    ],
  },
  {
    ask: 'encoding of the export is broken',
    answers: [
      [
        '/work/reports',
        'umlauts look wrong in the export',
        ['file export.csv', 'iconv -f latin1 -t utf8 export.csv -o export-utf8.csv'],
      ],
    ],
  },
  {
    ask: 'unpack the archive of the supplier',
    answers: [['/work/crm/import', 'extract delivery.zip', ['unzip delivery.zip -d delivery']]],
  },
  {
    ask: 'schedule a job every night',
    answers: [['/work/reports', 'run the import at 3 am', ['crontab -l', 'crontab jobs.cron']]],
  },
  {
    ask: 'cron job did not run',
    answers: [
      [
        '/work/reports',
        'why was nothing imported last night',
        ['grep CRON /var/log/syslog', '!./import.sh'],
        'import.sh: Permission denied',
      ],
    ],
  },
  {
    ask: 'benchmark the parser',
    answers: [['/work/parser', 'how fast is parsing', ['cargo bench']]],
  },
  {
    ask: 'coverage of the billing tests',
    answers: [['/work/billing', 'how much of billing is tested', ['pytest --cov=billing']]],
  },
  {
    ask: 'graphql schema has changed',
    answers: [
      [
        '/work/api',
        'generate the types of the schema',
        ['!npm run codegen'],
        'Cannot query field "address" on type "Customer"',
      ],
    ],
  },
  {
    ask: 'websocket closes at once behind nginx',
    answers: [
      [
        '/etc/nginx',
        'live updates do not arrive',
        ['nginx -t', 'grep upgrade sites-enabled/app', 'systemctl reload nginx'],
      ],
    ],
  },
  {
    ask: 'nginx confguration is invald',
    answers: [
      [
        '/etc/nginx',
        'check the web server settings',
        ['!nginx -t'],
        'unknown directive "proxy_pas" in app.conf:12',
      ],
    ],
  },
]
