-- What the checks share: a check that waits, the server's memory, repositories, and what is on the screen.

local server = _G.server ---@type table
local M = { passed = 0, failed = 0, code = { '// the till', 'pay()', 'charge()' } }

---One line for each check; it waits until `probe` gives something true.
function M.check(name, probe)
  local seen
  local ok = vim.wait(5000, function()
    seen = probe()
    return seen and true or false
  end, 10)
  M.passed, M.failed = M.passed + (ok and 1 or 0), M.failed + (ok and 0 or 1)
  io.stdout:write(('%s %s\n'):format(ok and 'ok' or 'FAIL', name))
end

---As `check`, for one value; says what was there instead.
function M.equal(name, expected, probe)
  local seen
  local failed = M.failed
  M.check(name, function()
    seen = probe()
    return vim.deep_equal(seen, expected)
  end)
  if M.failed > failed then
    io.stdout:write(('  expected %s\n  but saw %s\n'):format(vim.inspect(expected), vim.inspect(seen)))
  end
end

---Collects what the plugin says; tells whether a sentence with this text was among it.
---@return fun(text: string): boolean
function M.listen()
  local sentences = {}
  vim.notify = function(message, level)
    table.insert(sentences, ('%d %s'):format(level, message))
  end
  return function(text)
    return vim.iter(sentences):any(function(sentence)
      return sentence:find(text, 1, true)
    end)
  end
end

---What the server was last told by a method.
function M.told(method)
  return vim.iter(server.told):rev():find(function(message)
    return message.method == method
  end)
end

---A repository with these files.
function M.repository(name, files)
  local dir = ('%s/%s'):format(vim.env.TEST_HOME, name)
  vim.fn.mkdir(dir, 'p')
  vim.fn.system({ 'git', 'init', '-q', dir })
  for file, lines in pairs(files) do
    vim.fn.writefile(lines, ('%s/%s'):format(dir, file))
  end
  return dir
end

function M.attached(bufnr)
  return vim.lsp.get_clients({ name = 'bitbucket', bufnr = bufnr or 0 })[1]
end

---All virtual text of a line of the current buffer, counted from 0.
function M.drawn(line)
  local marks = vim.api.nvim_buf_get_extmarks(0, -1, { line, 0 }, { line, -1 }, { details = true })
  return vim
    .iter(marks)
    :map(function(mark)
      return vim
        .iter(mark[4].virt_text or {})
        :map(function(chunk)
          return chunk[1]
        end)
        :join('')
    end)
    :join('')
end

---The last command that the server was told, with its argument.
function M.last_command()
  local request = M.told('workspace/executeCommand')
  return request and { request.params.command, request.params.arguments[1] }
end

---How many commands the server was told.
function M.count_commands()
  return #vim.tbl_filter(function(message)
    return message.method == 'workspace/executeCommand'
  end, server.told)
end

---Presses keys, and lets them have their effect.
function M.press(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xt', false)
end

---Opens a file of a repository, with the cursor on the line that has a thread; its buffer.
function M.open_code()
  local dir = M.repository('one', { ['pay.rs'] = M.code })
  vim.cmd.edit(dir .. '/pay.rs')
  M.check('the server is there', M.attached)
  vim.api.nvim_win_set_cursor(0, { 3, 2 })
  return vim.api.nvim_get_current_buf()
end

return M
