-- What the tests start Neovim with: nothing but the plugin, as somebody has it who put it on the runtime path.
vim.opt.runtimepath:prepend(vim.env.E2E_ROOT .. '/editors/neovim')
vim.opt.swapfile = false
vim.opt.termguicolors = true
vim.opt.number = true
vim.opt.shortmess:append('I')
