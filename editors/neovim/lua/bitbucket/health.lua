-- :checkhealth bitbucket

local M = {}

---@param argv string[]
---@return string? output nil where the program cannot be run, or does not end well within four seconds
---@return string problem
local function output_of(argv)
  local ok, job = pcall(vim.system, argv, { text = true, env = vim.lsp.config.bitbucket.cmd_env })
  if not ok then
    return nil, tostring(job)
  end
  local done = job:wait(4000) ---@type vim.SystemCompleted?
  if not done or done.code == 124 then
    return nil, 'it took more than four seconds'
  end
  return done.code == 0 and vim.trim(done.stdout) or nil, vim.trim(done.stderr)
end

---How a line of `bitbucket-lsp auth status` is reported, by how it begins; any other line is information.
---@type table<string, 'ok'|'warn'>
local kinds = {
  ['Account '] = 'ok',
  ['The credentials come from the environment'] = 'ok',
  ['This folder is asked for as '] = 'ok',
  ['Nobody is signed in'] = 'warn',
  ['You are not signed in'] = 'warn',
  ['BITBUCKET_'] = 'warn',
}

---@param line string
local function report(line)
  local kind
  for start, its in pairs(kinds) do
    kind = vim.startswith(line, start) and its or kind
  end
  local advice = 'Run `:Bitbucket login` or `:Bitbucket token`; see `:help bitbucket-sign-in`.'
  vim.health[kind or 'info'](line, kind == 'warn' and { advice } or nil)
end

---Who is signed in, and as whom the current folder is asked for, in the server's own words.
---@param program string
local function check_account(program)
  local health = vim.health
  local client = require('bitbucket').client()
  local folder = client and client.workspace_folders and client.workspace_folders[1]
  local status, problem =
    output_of({ program, 'auth', 'status', folder and vim.uri_to_fname(folder.uri) or vim.fn.getcwd() })
  if not status then
    health.error('Who is signed in could not be asked: ' .. problem)
    return
  end
  vim.tbl_map(report, vim.split(status, '\n'))
  for _, name in ipairs({ 'BITBUCKET_TOKEN', 'BITBUCKET_EMAIL', 'BITBUCKET_API_TOKEN' }) do
    if (vim.env[name] or '') ~= '' then
      health.info(name .. ' is set, which goes before every account that is signed in')
    end
  end
end

local function check_clients()
  local health = vim.health
  local clients = vim.lsp.get_clients({ name = 'bitbucket' })
  if vim.tbl_isempty(clients) then
    health.warn(
      'The server is not running',
      'Open a file of a git repository; `:Bitbucket log` shows errors.'
    )
  end
  for _, client in ipairs(clients) do
    health.ok(('Attached to %d buffers'):format(vim.tbl_count(client.attached_buffers)))
    for _, folder in ipairs(client.workspace_folders or {}) do
      health.info('Repository: ' .. vim.uri_to_fname(folder.uri))
    end
  end
end

function M.check()
  local health = vim.health
  health.start('bitbucket')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('Neovim 0.11 or newer is needed, this is ' .. tostring(vim.version()))
    return
  end
  health.ok('Neovim ' .. tostring(vim.version()))

  local cmd = vim.lsp.config.bitbucket.cmd
  local version
  if type(cmd) == 'table' then
    version = output_of({ cmd[1], '--version' })
    if version then
      health.ok(('%s (%s)'):format(version, vim.fn.exepath(cmd[1])))
    else
      health.error(cmd[1] .. ' cannot be run', 'Install it, or say where it is: `:help bitbucket-config`.')
    end
  end
  local git = output_of({ 'git', '--version' })
  if git then
    health.ok(git)
  else
    health.warn('git was not found')
  end
  if version then
    check_account(cmd[1])
  end
  check_clients()
  health.info(('Log: %s (`:Bitbucket log`)'):format(vim.lsp.log.get_filename()))
end

return M
