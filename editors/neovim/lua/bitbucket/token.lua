-- What the user types to sign in. A token goes to `bitbucket-lsp auth token`, which reads it from its standard input:
-- it is in no message to the server, no argument, no register and no history.

local M = {}

local say = require('bitbucket').say

---@param sentence string
---@param level? integer
local function say_if_any(sentence, level)
  if vim.trim(sentence) ~= '' then
    say(vim.trim(sentence), level)
  end
end

---@param email string empty for an access token of a repository
---@param token string
local function store(email, token)
  local config = vim.lsp.config.bitbucket
  local command = { type(config.cmd) == 'table' and config.cmd[1] or 'bitbucket-lsp', 'auth', 'token' }
  if email ~= '' then
    vim.list_extend(command, { '--email', email })
  end
  table.insert(command, vim.fs.root(0, '.git') or vim.fn.getcwd())
  local ok, problem = pcall(vim.system, command, { stdin = token, text = true, env = config.cmd_env }, function(done)
    vim.schedule(function()
      say_if_any(done.stdout)
      say_if_any(done.stderr, vim.log.levels.WARN)
    end)
  end)
  if not ok then
    say(('%s cannot be run (%s); see :checkhealth bitbucket.'):format(command[1], problem), vim.log.levels.ERROR)
  end
end

---Signs in by a token: asks for it here, or on a page in the browser where the user wants that or nobody can type here.
---A server that runs sees by itself that somebody has signed in.
---@param client? vim.lsp.Client
function M.add(client)
  if vim.g.bitbucket_token_page or #vim.api.nvim_list_uis() == 0 then
    local command = require('bitbucket.command')
    if client then
      command.execute(client, 'bitbucket.addToken')
    else
      say(command.why_not_running(), vim.log.levels.WARN)
    end
    return
  end
  local question = 'E-mail address of your Atlassian account (empty for an access token): '
  vim.ui.input({ prompt = question }, function(email)
    local token = email and vim.trim(vim.fn.inputsecret('Token: ')) or ''
    if token ~= '' then
      store(vim.trim(email), token)
    end
  end)
end

---Takes the address that a browser on another computer ended at; with nothing entered the server opens a document
---to paste it into.
---@param client vim.lsp.Client
function M.paste(client)
  vim.ui.input({ prompt = 'Address that the browser ended at: ' }, function(address)
    if address then
      -- It holds a code that is good for a moment, and the history is written to a file.
      vim.fn.histdel('input', [[\V\^]] .. vim.fn.escape(address, [[\]]) .. [[\$]])
      address = vim.trim(address)
      local more = address ~= '' and { address = address } or nil
      require('bitbucket.command').execute(client, 'bitbucket.finishSignIn', more)
    end
  end)
end

return M
