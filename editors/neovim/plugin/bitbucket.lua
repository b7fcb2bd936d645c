-- Loaded at start: the command, the <Plug> maps and the autocommands. All else is loaded when used.

if vim.g.loaded_bitbucket then
  return
end
vim.g.loaded_bitbucket = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify(
    'Review comments need Neovim 0.11 or newer; update it or remove the bitbucket plugin.',
    vim.log.levels.WARN
  )
  return
end

vim.api.nvim_create_user_command('Bitbucket', function(options)
  local lines = options.range > 0 and { first = options.line1 - 1, last = options.line2 - 1 } or nil
  require('bitbucket.command').run(options.args, lines)
end, {
  nargs = '*',
  range = true,
  desc = 'Review comments of the checked-out branch',
  complete = function(_, line, column)
    local typed = line:sub(1, column):match('%f[%a]B%a*%s+(.*)$')
    return typed and require('bitbucket.verbs').complete(typed) or {}
  end,
})

local verbs = 'show thread next prev refresh toggle browser copy status switch log '
  .. 'reply comment comment-file comment-pull-request comment-removed suggest edit delete '
  .. 'resolve resolve-next reopen apply apply-all task task-done task-reopen task-edit task-delete '
  .. 'send discard drafts login token paste cancel account logout'
for verb in vim.gsplit(verbs, ' ') do
  -- The second word stands after the first hyphen.
  vim.keymap.set(
    'n',
    ('<Plug>(bitbucket-%s)'):format(verb),
    ('<Cmd>Bitbucket %s<CR>'):format((verb:gsub('-', ' ', 1)))
  )
end
-- Of a selection, its lines.
for _, verb in ipairs({ 'comment', 'comment-removed', 'suggest' }) do
  vim.keymap.set(
    'x',
    ('<Plug>(bitbucket-%s)'):format(verb),
    (':Bitbucket %s<CR>'):format((verb:gsub('-', ' ', 1))),
    {
      silent = true,
    }
  )
end

local group = vim.api.nvim_create_augroup('bitbucket', {})
vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'bitbucket' then
      require('bitbucket.attach').attach(client, event.buf)
    end
  end,
})

if vim.g.bitbucket_auto_enable == false then
  return
end
vim.lsp.enable('bitbucket')

-- vim.lsp.enable() waits for a file type. LICENSE or a file of an unknown kind has none.
local function start_without_filetype(bufnr)
  if vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].filetype == '' then
    require('bitbucket.root').start(bufnr)
  end
end
vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile', 'BufWritePost' }, {
  group = group,
  callback = function(event)
    vim.schedule(function()
      start_without_filetype(event.buf)
    end)
  end,
})
if vim.v.vim_did_enter == 1 then
  vim.tbl_map(start_without_filetype, vim.api.nvim_list_bufs())
end
