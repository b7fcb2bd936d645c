-- What `cargo demo` starts Neovim with: nothing of the user's own, the plugin of this checkout, and a short welcome.
vim.opt.runtimepath:prepend(@PLUGIN@)
vim.g.mapleader = " "
vim.opt.number = true
vim.opt.signcolumn = "yes"
vim.opt.termguicolors = true
vim.opt.swapfile = false
vim.diagnostic.config({ virtual_text = true, severity_sort = true })

local found, bitbucket = pcall(require, "bitbucket")
if found and type(bitbucket.setup) == "function" then
  bitbucket.setup({ cmd = { @SERVER@ } })
end

vim.api.nvim_create_autocmd("VimEnter", {
  callback = function()
    vim.notify("K: the thread under the cursor   :Bitbucket next, prev, show   gra: actions   :qa leaves")
  end,
})
