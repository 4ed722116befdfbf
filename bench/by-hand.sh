#!/bin/sh
# What one would write for oneself instead of Fairlead: after a push, clone, install, start, wait until healthy, point the proxy at it, stop
# what ran before. Two ports take turns.
#   by-hand.sh static|node URL FOLDER PORT_A PORT_B NODE MAIN
set -eu
kind=$1 url=$2 base=$3 port=$4 other=$5 node=$6 main=$7
before=$(cat "$base/current" 2>/dev/null || echo)
if [ "$before" = "$port" ]; then port=$other; fi

release=$base/releases/$(date +%s%N)
mkdir -p "$base/releases"
git clone --quiet --depth 1 --branch main "$url" "$release"
cd "$release"
if [ "$kind" = node ]; then
  npm ci --no-audit --no-fund --prefer-offline --silent
  PORT=$port setsid "$node" server.js >"$base/log" 2>&1 </dev/null &
else
  # the very server that Fairlead serves a static release with, with its compiled code at hand as there
  setsid "$node" --max-semi-space-size=1 --max-old-space-size=64 "$main" __static "$port" . >"$base/log" 2>&1 </dev/null &
fi
pid=$!
echo "$pid" >"$base/pid-$port"
until curl --fail --silent --output /dev/null "http://127.0.0.1:$port/"; do
  kill -0 "$pid" # the script ends here when the app has ended
  sleep 0.05
done

echo "$port" >"$base/current.new"
mv "$base/current.new" "$base/current"

echo "$release" >"$base/release-$port"
if [ -n "$before" ]; then
  kill "$(cat "$base/pid-$before")"
  rm -rf "$(cat "$base/release-$before")"
fi
