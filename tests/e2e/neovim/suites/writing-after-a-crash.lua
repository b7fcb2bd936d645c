-- Neovim and the server are killed while somebody types: what was typed is in the next Neovim, and can be sent there.

local t = require('harness')
local w = require('writing')

---Another Neovim, which can be killed.
local function start()
  local command = { vim.v.progpath, '--clean', '--headless', '--embed', '-u', vim.env.E2E_ROOT .. '/tests/e2e/neovim/init.lua' }
  local channel = vim.fn.jobstart(command, { rpc = true, cwd = vim.env.E2E_CLONE })
  local function ask(method, ...)
    return vim.rpcrequest(channel, method, ...)
  end
  return {
    pid = vim.fn.jobpid(channel),
    lua = function(code, ...)
      return ask('nvim_exec_lua', code, { ... })
    end,
    press = function(keys)
      ask('nvim_input', keys)
    end,
    ended = function()
      return vim.fn.jobwait({ channel }, 0)[1] ~= -1
    end,
  }
end

local function crash()
  local other = start()
  other.lua('vim.cmd.edit(...)', t.path('till/discounts.py'))
  t.check('another Neovim has the review', function()
    return other.lua('return #vim.diagnostic.get(0) == 4 and #vim.lsp.codelens.get(0) > 4')
  end)
  other.press('13G:Bitbucket reply<CR>')
  t.check('and a draft', function()
    return other.lua([[return vim.api.nvim_buf_get_name(0):find("/drafts/reply") ~= nil and vim.lsp.get_clients({ bufnr = 0 })[1] ~= nil]])
  end)
  other.press('iNobody has saved this')
  local path = other.lua('return vim.api.nvim_buf_get_name(0)')
  t.has('what is typed is kept, unsaved and in insert mode', 'Nobody has saved this', function()
    local kept = vim.fn.glob((path:gsub('%.md$', '.typed')), true, true)[1]
    return kept and table.concat(vim.fn.readfile(kept), '\n') or ''
  end)
  t.check('the file itself is as it was', function()
    return not table.concat(vim.fn.readfile(path), '\n'):find('Nobody has saved this', 1, true)
  end)
  local server = t.server_pid()
  vim.uv.kill(other.pid, 'sigkill')
  vim.uv.kill(server, 'sigkill')
  t.check('Neovim is killed', other.ended)
  t.check('and the server', function()
    return vim.uv.kill(server, 0) ~= 0
  end)
  return path
end

w.run(function()
  local path = crash()
  w.wrote('nothing was sent', {})
  w.review('till/discounts.py', { 1, 13, 15, 24 })
  t.has('the next Neovim counts the draft', ' · 1 draft', function()
    return t.lenses()[1] or ''
  end)
  vim.cmd.Bitbucket('drafts')
  t.has('and lists it, as it was typed', 'Nobody has saved this', t.text)
  t.go(w.line_of('Nobody has saved this'))
  w.act('Bitbucket: Open draft')
  t.equal('it opens', path, function()
    return vim.api.nvim_buf_get_name(0)
  end)
  t.equal('with all that was typed', 'Nobody has saved this', w.body)
  t.check('and without a question about swap files', function()
    return w.draft()
  end)
  w.send('sent, it is gone')
  w.wrote('Bitbucket has it once', { 'Nobody has saved this' })
  t.stop()
end)
