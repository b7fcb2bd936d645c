-- What other plugins and a user's configuration may call.

local M = {}

---Merges options into the server's configuration. Calling it is not needed.
---It is the same as `vim.lsp.config('bitbucket', options)`.
---@param options? vim.lsp.Config
function M.setup(options)
  vim.lsp.config('bitbucket', options or {})
end

---The server of the current buffer, else any that runs.
---@return vim.lsp.Client?
function M.client()
  return vim.lsp.get_clients({ name = 'bitbucket', bufnr = 0 })[1]
    or vim.lsp.get_clients({ name = 'bitbucket' })[1]
end

---Says a sentence to the user.
---@param message string
---@param level? integer one of vim.log.levels; INFO if absent
function M.say(message, level)
  vim.notify(message, level or vim.log.levels.INFO, { title = 'Bitbucket' })
end

return M
