#!/usr/bin/env bash
# run.sh [NVIM]: the plugin in a real Neovim without a screen, against a server that lives inside the test.
# MODES="verbs drafts" runs some of the parts.
# Nothing of the user's is read or written: all of Neovim's folders are temporary.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
nvim=${1:-nvim}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export XDG_CONFIG_HOME=$home/config XDG_DATA_HOME=$home/data XDG_STATE_HOME=$home/state XDG_CACHE_HOME=$home/cache
unset BITBUCKET_LSP_CACHE BITBUCKET_LSP_STATE BITBUCKET_TOKEN BITBUCKET_EMAIL BITBUCKET_API_TOKEN
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null TEST_HOME=$home
export PLUGIN=${here%/tests}
for mode in ${MODES:-plain sign_in without_filetype loaded_late verbs drafts maps}; do
  MODE=$mode timeout 60 "$nvim" --clean --headless \
    --cmd "lua vim.g.bitbucket_maps = vim.env.MODE == 'maps' or nil; if vim.env.MODE ~= 'loaded_late' then vim.opt.runtimepath:prepend(vim.env.PLUGIN) end" \
    --cmd "lua dofile(vim.env.PLUGIN .. '/tests/server.lua')" \
    -c "autocmd VimEnter * ++nested lua dofile(vim.env.PLUGIN .. '/tests/plugin.lua')"
done
