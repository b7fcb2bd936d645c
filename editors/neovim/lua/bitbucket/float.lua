-- The thread under the cursor in a floating window.

local M = {}

local widest = 100

---How wide the text is where addresses of links are hidden.
---@param lines string[]
local function visible_width(lines)
  local width = 20
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth((line:gsub('%[([^%]]*)%]%b()', '%1'):gsub('%*%*', ''))))
  end
  return math.min(width, widest, vim.o.columns - 4)
end

---Makes a window as high as its text. The last line is a link: the rows that only its hidden address takes are left out.
---@param window integer
local function fit(window)
  local look = vim.wo[window][0]
  look.linebreak, look.fillchars = true, 'lastline: '
  local last = vim.api.nvim_buf_line_count(vim.api.nvim_win_get_buf(window)) - 1
  local of_last = vim.api.nvim_win_text_height(window, { start_row = last }).all
  local rows = vim.api.nvim_win_text_height(window, {}).all - of_last + 1
  vim.api.nvim_win_set_height(window, math.max(1, math.min(rows, math.floor(vim.o.lines * 0.6))))
end

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
      local width = visible_width(lines)
      local content, window = vim.lsp.util.open_floating_preview(lines, 'markdown', {
        focus_id = 'bitbucket_thread',
        -- A frame, unless the user has chosen one for all floats.
        border = vim.o.winborder == '' and 'rounded' or nil,
        width = width,
        wrap_at = width,
        max_height = math.floor(vim.o.lines * 0.6),
      })
      require('bitbucket.diff').paint(content)
      fit(window)
    end
  end, bufnr)
end

return M
