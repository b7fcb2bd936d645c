-- :checkhealth bitbucket

local M = {}

---@param argv string[]
---@return string? output nil where the program cannot be run
local function output_of(argv)
  local ok, job = pcall(vim.system, argv, { text = true })
  local done = ok and job:wait(5000)
  return done and done.code == 0 and vim.trim(done.stdout) or nil
end

---@param name string
local function is_set(name)
  return (vim.env[name] or '') ~= ''
end

local function check_account()
  local health = vim.health
  if is_set('BITBUCKET_TOKEN') then
    health.ok('BITBUCKET_TOKEN is set')
  elseif is_set('BITBUCKET_EMAIL') and is_set('BITBUCKET_API_TOKEN') then
    health.ok('BITBUCKET_EMAIL and BITBUCKET_API_TOKEN are set')
  elseif is_set('BITBUCKET_EMAIL') or is_set('BITBUCKET_API_TOKEN') then
    health.error(
      'Only one of BITBUCKET_EMAIL and BITBUCKET_API_TOKEN is set',
      'Set both, or BITBUCKET_TOKEN.'
    )
  else
    health.warn('No account in the environment', {
      'Set BITBUCKET_TOKEN, or BITBUCKET_EMAIL and BITBUCKET_API_TOKEN, before Neovim starts.',
      '`:Bitbucket status` says what the server sees.',
    })
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
  if type(cmd) == 'table' then
    local version = output_of({ cmd[1], '--version' })
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
  check_account()
  check_clients()
  health.info(('Log: %s (`:Bitbucket log`)'):format(vim.lsp.log.get_filename()))
end

return M
