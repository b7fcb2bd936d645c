-- The verbs of :Bitbucket: commands of the server, and three of our own, `thread`, `token` and `log`.

local bitbucket = require('bitbucket')

local M = {}

---@type table<string, string>
local server_commands = {
  show = 'bitbucket.showPullRequest',
  next = 'bitbucket.nextComment',
  prev = 'bitbucket.previousComment',
  refresh = 'bitbucket.refresh',
  toggle = 'bitbucket.toggleComments',
  browser = 'bitbucket.openInBrowser',
  copy = 'bitbucket.copyLink',
  status = 'bitbucket.showStatus',
  switch = 'bitbucket.switchPullRequest',
  login = 'bitbucket.generateToken',
  paste = 'bitbucket.finishSignIn',
  cancel = 'bitbucket.cancelSignIn',
  account = 'bitbucket.switchAccount',
  logout = 'bitbucket.signOut',
}

---Where the cursor is, as the server's commands take it; empty in a buffer that the server does not know.
---@param client vim.lsp.Client
---@return table
local function cursor(client)
  if not vim.lsp.buf_is_attached(0, client.id) then
    return vim.empty_dict()
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  return {
    uri = params.textDocument.uri,
    line = params.position.line,
    character = params.position.character,
  }
end

---@return string
function M.why_not_running()
  local cmd = vim.lsp.config.bitbucket.cmd
  if type(cmd) == 'table' and vim.fn.executable(cmd[1]) == 0 then
    return ('%s was not found: install it, or say where it is (:help bitbucket-config).'):format(cmd[1])
  end
  return 'bitbucket-lsp is not running: open a file of a git repository, or see :checkhealth bitbucket.'
end

---Runs a command of the server, for where the cursor is.
---@param client vim.lsp.Client
---@param name string
---@param more? table members of its argument
function M.execute(client, name, more)
  local argument = vim.tbl_extend('force', cursor(client), more or {})
  client:exec_cmd({ title = name, command = name, arguments = { argument } }, { bufnr = 0 })
end

---@param verb string
function M.run(verb)
  local client = bitbucket.client()
  if verb == 'log' then
    vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.log.get_filename()))
    vim.cmd.normal({ 'G', bang = true })
  elseif verb == 'token' then
    require('bitbucket.token').add(client)
  elseif verb ~= 'thread' and not server_commands[verb] then
    local verbs = table.concat(M.complete(''), ', ')
    bitbucket.say(('There is no :Bitbucket %s; the verbs are %s.'):format(verb, verbs), vim.log.levels.ERROR)
  elseif not client then
    bitbucket.say(M.why_not_running(), vim.log.levels.WARN)
  elseif verb == 'thread' then
    require('bitbucket.float').open(client)
  elseif verb == 'paste' then
    require('bitbucket.token').paste(client)
  else
    M.execute(client, server_commands[verb])
  end
end

---@param lead string what is typed of the verb
---@return string[]
function M.complete(lead)
  local verbs = vim.list_extend({ 'thread', 'token', 'log' }, vim.tbl_keys(server_commands))
  table.sort(verbs)
  return vim.tbl_filter(function(verb)
    return vim.startswith(verb, lead)
  end, verbs)
end

---Runs `bitbucket.copyLink`, from the command, a lens or an action, and puts the link into a register.
---The server itself shows the link in a message.
---@param command lsp.Command
---@param context { bufnr: integer, client_id: integer }
function M.copy_link(command, context)
  local client = assert(vim.lsp.get_client_by_id(context.client_id))
  local params = { command = command.command, arguments = command.arguments }
  client:request('workspace/executeCommand', params, function(err, result)
    require('bitbucket.lens').refresh(client, context.bufnr)
    if err then
      bitbucket.say(err.message, vim.log.levels.ERROR)
    elseif type(result) == 'table' and type(result.text) == 'string' then
      if vim.fn.has('clipboard') == 0 or not pcall(vim.fn.setreg, '+', result.text) then
        vim.fn.setreg('"', result.text)
      end
    end
  end, context.bufnr)
end

return M
