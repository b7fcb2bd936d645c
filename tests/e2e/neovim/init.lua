-- What the tests start Neovim with: nothing but the plugin, as somebody has it who put it on the runtime path.
-- No clock refreshes: on a slow machine one would fall into the middle of a journey.
vim.opt.runtimepath:prepend(vim.env.E2E_ROOT .. '/editors/neovim')
vim.opt.swapfile = false
vim.opt.termguicolors = true
vim.opt.number = true
vim.opt.shortmess:append('I')
vim.lsp.config('bitbucket', { settings = { bitbucket = { refreshInterval = 0 } } })
