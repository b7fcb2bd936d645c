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
  require('bitbucket.command').run(options.fargs[1] or 'show')
end, {
  nargs = '?',
  desc = 'Review comments of the checked-out branch',
  complete = function(lead)
    return require('bitbucket.command').complete(lead)
  end,
})

local verbs = 'show thread next prev refresh toggle browser copy status switch log '
  .. 'login token paste cancel account logout'
for verb in vim.gsplit(verbs, ' ') do
  vim.keymap.set('n', ('<Plug>(bitbucket-%s)'):format(verb), ('<Cmd>Bitbucket %s<CR>'):format(verb))
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
