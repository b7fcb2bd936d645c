-- The thread under the cursor in a floating window.

local M = {}

---Shows what our server, and no other, says about the cursor's line. Called again, it enters the window.
---@param client vim.lsp.Client
function M.open(client)
  local bufnr = vim.api.nvim_get_current_buf()
  local say = require('bitbucket').say
  if vim.w.bitbucket_thread then
    vim.cmd.wincmd('p')
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  client:request('textDocument/hover', params, function(err, result)
    if vim.api.nvim_get_current_buf() ~= bufnr then
      return
    end
    local lines = result and vim.lsp.util.convert_input_to_markdown_lines(result.contents) or {}
    if err then
      say(err.message, vim.log.levels.ERROR)
    elseif vim.tbl_isempty(lines) then
      say('No comment on this line; :Bitbucket next goes to the next one.')
    else
      vim.lsp.util.open_floating_preview(lines, 'markdown', {
        focus_id = 'bitbucket_thread',
        max_width = 100,
        max_height = math.floor(vim.o.lines * 0.6),
      })
    end
  end, bufnr)
end

return M
