-- Suggestions are diffs within quoted Markdown, where no highlighter of Neovim finds them.

local M = {}

local namespace = vim.api.nvim_create_namespace('bitbucket.diff')

---Gives the lines of all diffs in a buffer their colours.
---@param bufnr integer
function M.paint(bufnr)
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
  local in_diff = false
  for index, line in ipairs(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)) do
    local text = line:gsub('^[> ]*> ?', '')
    if text:find('^%s*```') then
      in_diff = not in_diff and text:find('^%s*```+diff%s*$') ~= nil
    elseif in_diff and text:find('^[-+]') then
      vim.api.nvim_buf_set_extmark(bufnr, namespace, index - 1, #line - #text, {
        end_col = #line,
        hl_group = text:sub(1, 1) == '+' and 'Added' or 'Removed',
        priority = 200, -- over that of the quote
      })
    end
  end
end

return M
