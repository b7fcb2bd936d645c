-- Runs the verbs of :Bitbucket, for where the cursor is.

local bitbucket = require('bitbucket')

local M = {}

---@class bitbucket.Lines
---@field first integer counted from 0
---@field last integer included

---Where the cursor is, as the server's commands take it; empty in a buffer that the server does not know.
---In the floating window of a thread, it is where that was opened.
---@param client vim.lsp.Client
---@param lines? bitbucket.Lines what is meant instead of the cursor's line
---@return table
local function place(client, lines)
  local window = vim.w.bitbucket_thread and vim.fn.bufwinid(vim.w.bitbucket_thread) or 0
  if window < 0 or not vim.lsp.buf_is_attached(vim.api.nvim_win_get_buf(window), client.id) then
    return vim.empty_dict()
  end
  local params = vim.lsp.util.make_position_params(window, client.offset_encoding)
  local uri = params.textDocument.uri
  if lines then
    return { uri = uri, line = lines.first, endLine = lines.last, character = 0 }
  end
  return { uri = uri, line = params.position.line, character = params.position.character }
end

---@return string
function M.why_not_running()
  local cmd = vim.lsp.config.bitbucket.cmd
  if type(cmd) == 'table' and vim.fn.executable(cmd[1]) == 0 then
    return ('%s was not found: install it, or say where it is (:help bitbucket-config).'):format(cmd[1])
  end
  return 'bitbucket-lsp is not running: open a file of a git repository, or see :checkhealth bitbucket.'
end

---Runs a command of the server.
---@param client vim.lsp.Client
---@param name string
---@param argument table
local function execute(client, name, argument)
  client:exec_cmd({ title = name, command = name, arguments = { argument } }, { bufnr = 0 })
end

---Runs a command of the server, for where the cursor is.
---@param client vim.lsp.Client
---@param name string
---@param more? table members of its argument
function M.execute(client, name, more)
  execute(client, name, vim.tbl_extend('force', place(client), more or {}))
end

---@param client vim.lsp.Client
---@param verb bitbucket.Verb
---@param text? string
---@param lines? bitbucket.Lines
local function execute_verb(client, verb, text, lines)
  local argument = place(client, lines)
  if verb.on == 'pull-request' then
    argument = vim.empty_dict()
  elseif verb.on and not argument.uri then
    bitbucket.say('Nothing was sent: this buffer is no file of a repository.', vim.log.levels.WARN)
    return
  elseif verb.on == 'file' then
    argument = { uri = argument.uri }
  end
  execute(client, verb.command, vim.tbl_extend('force', argument, verb.more or {}, { text = text }))
end

---@param typed string what stands after `:Bitbucket`
---@param lines? bitbucket.Lines the range of the command, if it has one
function M.run(typed, lines)
  local client = bitbucket.client()
  local verb, text = require('bitbucket.verbs').read(typed)
  if not verb then
    bitbucket.say(text or '', vim.log.levels.ERROR)
  elseif not client and not verb.without_server then
    bitbucket.say(M.why_not_running(), vim.log.levels.WARN)
  elseif verb.run then
    verb.run(client)
  else
    execute_verb(assert(client), verb, text, lines)
  end
end

---Hands a command on to the server, as Neovim does with those that need nothing done here.
---@param command lsp.Command
---@param context { bufnr: integer, client_id: integer }
---@param done? fun(result: any)
function M.hand_on(command, context, done)
  local client = assert(vim.lsp.get_client_by_id(context.client_id))
  local params = { command = command.command, arguments = command.arguments }
  client:request('workspace/executeCommand', params, function(err, result)
    require('bitbucket.lens').refresh(client, context.bufnr)
    if err then
      bitbucket.say(err.message, vim.log.levels.ERROR)
    elseif done then
      done(result)
    end
  end, context.bufnr)
end

---Runs `bitbucket.copyLink`, from the command, a lens or an action, and puts the link into a register.
---The server itself shows the link in a message.
---@param command lsp.Command
---@param context { bufnr: integer, client_id: integer }
function M.copy_link(command, context)
  M.hand_on(command, context, function(result)
    if type(result) == 'table' and type(result.text) == 'string' then
      if vim.fn.has('clipboard') == 0 or not pcall(vim.fn.setreg, '+', result.text) then
        vim.fn.setreg('"', result.text)
      end
    end
  end)
end

return M
