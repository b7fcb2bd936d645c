#!/usr/bin/env bash
# run.sh [NVIM]: the plugin in a real Neovim without a screen, against a server that lives inside the test.
# Nothing of the user's is read or written: all of Neovim's folders are temporary.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
nvim=${1:-nvim}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export XDG_CONFIG_HOME=$home/config XDG_DATA_HOME=$home/data XDG_STATE_HOME=$home/state XDG_CACHE_HOME=$home/cache
unset BITBUCKET_LSP_CACHE BITBUCKET_TOKEN BITBUCKET_EMAIL BITBUCKET_API_TOKEN
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null TEST_HOME=$home
plugin=${here%/tests}
for mode in plain without_filetype loaded_late; do
  runtimepath=$plugin
  [ $mode = loaded_late ] && runtimepath=$home
  MODE=$mode PLUGIN=$plugin timeout 60 "$nvim" --clean --headless --cmd "set runtimepath^=$runtimepath noswapfile" \
    --cmd "luafile $here/server.lua" -c "luafile $here/plugin.lua"
done
