/** Everyday commands that only look. None may be denied; hardly any may ask. */
export const looking: readonly string[] = `
ls
ls -la
ls -lah src
ls *.ts
ls src/**/*.ts
ls -la | head -20
pwd
cat README.md
cat package.json | head -n 5
cat -n src/main.ts
cat a.txt b.txt
head -n 20 README.md
head -5 a
tail -n 100 app.log
tail -f app.log
less README.md
wc -l src/main.ts
wc -l *.ts | sort -n
sort -u names.txt
sort -k2,2n -t, data.csv
sort names.txt | uniq -c | sort -rn | head
cut -d: -f1 data.txt
diff a.txt b.txt
diff -u a b | head
cmp a b
grep -rn TODO src
grep -i error app.log | tail -5
grep -v '^#' config.ini
grep -c foo a.txt && echo found
egrep 'a|b' x.txt
rg TODO
rg -n "foo bar" src
rg -g '*.ts' 'import .* from' src | wc -l
find . -name '*.ts'
find . -type f -name '*.ts' -not -path './node_modules/*'
find src -type f -exec wc -l {} +
find src -name '*.ts' -print0 | xargs -0 echo
find . -maxdepth 2 -type d
echo hi
echo "hello world"
echo $HOME
echo "$USER"
echo $((1 + 2))
printf '%s\\n' hi
date
date +%F
date -u
whoami
id
uname -a
hostname
uptime
df -h
df -h /
du -sh .
du -sh * | sort -h
free -h
ps aux
ps -ef | grep node
ps aux --sort=-%mem | head
top -b -n1 | head -20
which node
command -v npm
type ls
file a.bin
stat README.md
tree -L 2
tree src
git status
git status --short
git log --oneline -10
git log --oneline --graph --all | head -20
git log -p -1
git log --since=yesterday --author=Ana
git diff
git diff --stat
git diff HEAD~1 -- src
git diff --cached
git show HEAD
git show HEAD:README.md
git branch
git branch -a
git branch --show-current
git remote -v
git blame README.md
git rev-parse HEAD
git rev-parse --abbrev-ref HEAD
git ls-files
git ls-files | wc -l
git stash list
git tag
git tag -l 'v1.*'
git describe --tags
git shortlog -sn
git config --get user.name
git config -l
git reflog
git worktree list
git -C src status
git --no-pager log -3
git grep foo
git submodule status
node --version
node -v
npm --version
npm ls
npm ls --depth=0
yarn --version
python3 --version
python --version
cargo --version
go version
go env GOPATH
rustc --version
gcc --version
make --version
jq .name package.json
jq -r '.scripts | keys[]' package.json
cat package.json | jq '.dependencies'
sed -n '1,20p' README.md
sed -n 5p a.txt
sed 's/a/b/g' a.txt
sed -e 's/foo/bar/' -e '/^#/d' a.txt
awk '{print $1}' a.txt
awk -F: '{ print $1, $3 }' a.txt
awk 'NR>1 && $3 > 10 {s+=$3} END {print s}' data.txt
awk '/foo|bar/ {print}' a.txt
ps aux | awk '{print $2}'
test -f README.md
test -f README.md && echo yes || echo no
[ -d src ] && ls src
true
false
sleep 1
sleep 30
seq 1 10
basename src/main.ts
dirname src/main.ts
realpath src
readlink -f src/main.ts
sha256sum a.tgz
md5sum a.tgz
docker ps
docker ps -a
docker images
docker logs --tail 50 web
docker --version
docker compose ps
systemctl status nginx
systemctl list-units --failed
systemctl is-active nginx
journalctl -u nginx -n 50
journalctl --since today | tail
kubectl get pods
kubectl get pods -n web -o wide
kubectl describe pod web-1
kubectl logs web-1 --tail=20
cat /proc/cpuinfo
cat /proc/meminfo | head -3
cat /etc/os-release
cat /etc/hostname
ls /
lscpu
lsblk
ss -tlnp
nproc
env | grep NODE
printenv PATH
cat ~/notes.txt
ls /etc
for f in *.ts; do wc -l "$f"; done
for i in 1 2 3; do echo $i; done
if [ -f a.txt ]; then cat a.txt; else echo none; fi
while false; do echo x; done
X=src; ls $X
cd src && ls
cd src; git status; cd ..
(cd src && ls -la)
echo "$(date) done"
echo "branch: $(git branch --show-current)"
ls 2>/dev/null
ls missing 2>&1 | head
cat a.txt | tr a-z A-Z
cat <<EOF
hello
EOF
ls -la; df -h; free -m
NODE_ENV=test node --version
LC_ALL=C sort a.txt
timeout 5 ls
nice ls
time ls
column -t a.txt
xxd a.bin | head
base64 a.bin
strings a.bin | head
comm -12 a b
paste a b
tac a.log | head
nl a.txt
pgrep -fl node
tar tf a.tar
tar -tzf a.tgz | head
du -h --max-depth=1
stat -c %s a.txt
cal
man ls
cargo tree
pip list
pip show requests
terraform version
helm list
gem list
dpkg -l
apt list
set -e; ls
echo a > /dev/null
`
  .trim()
  .split('\n')
  .reduce<string[]>((all, line) => (line === 'hello' || line === 'EOF' ? [...all.slice(0, -1), `${all.at(-1)}\n${line}`] : [...all, line]), [])
  .map((line) => line.replaceAll('\\\\n', '\\n'))

/** Everyday commands that change something: asked, never denied, never allowed. */
export const changing: readonly string[] = `
npm install
npm ci
npm install left-pad
npm test
npm run build
npm start
npm view react version
npm outdated
npm uninstall left-pad
npx tsc --noEmit
yarn add react
pnpm install
pip install requests
cargo build
cargo test
go test ./...
make
make test
pytest -q
vitest run
node app.js
python3 script.py
./run.sh
rm build.log
rm -f a.txt b.txt
rm -rf dist
rm -rf node_modules
rm -rf ./build ./out
rm -r coverage/
mv a.txt b.txt
cp a.txt b.txt
cp -r src backup
mkdir out
mkdir -p a/b/c
touch a.txt
chmod +x run.sh
ln -s a b
echo hi > a.txt
echo hi >> a.txt
ls > files.txt
sort a.txt -o b.txt
sed -i 's/a/b/' a.txt
tee out.txt
git add .
git add -A && git commit -m "fix: a thing"
git commit -m x
git checkout main
git checkout -b feature
git switch main
git merge main
git rebase main
git pull
git fetch
git push
git push origin main
git push --force
git push --force-with-lease
git reset --hard HEAD~1
git clean -fd
git stash
git stash pop
git branch -D old
git tag v1.0.0
git clone https://github.com/a/b
git init
curl https://example.com
curl -s https://api.github.com/repos/a/b | jq .name
wget https://example.com/a.zip
ping -c 1 example.com
kill 1234
kill -9 1234
pkill node
docker run --rm alpine echo hi
docker build .
docker compose up -d
docker rm -f web
docker exec web ls
systemctl restart nginx
apt-get install -y curl
brew install jq
kubectl apply -f x.yaml
kubectl delete pod x
ssh host uptime
scp a.txt host:
rsync -a src/ backup/
tar xzf a.tgz
tar czf a.tgz src
unzip a.zip
gzip a.log
env
printenv
history
crontab -l
sudo ls
find . -name '*.pyc' -delete
find . -name '*.tmp' -exec rm {} \\;
xargs rm
python3 -c 'print(1)'
node -e 'console.log(1)'
prisma migrate deploy
terraform plan
aws s3 ls
psql -c 'select 1'
cat .env
cat server.pem
cat id_rsa
cat $FILE
git log --output=x
vim a.txt
eslint .
prettier --write .
`
  .trim()
  .split('\n')
