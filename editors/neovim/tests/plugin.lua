-- The checks; one line each, then "N passed, N failed", and the exit code says the same.

local server = _G.server ---@type table
local passed, failed = 0, 0

local function check(name, probe)
  local seen
  local ok = vim.wait(5000, function()
    seen = probe()
    return seen and true or false
  end, 10)
  passed, failed = passed + (ok and 1 or 0), failed + (ok and 0 or 1)
  io.stdout:write(('%s %s\n'):format(ok and 'ok' or 'FAIL', name))
end

---What the server was last told by a method.
local function told(method)
  return vim.iter(server.told):rev():find(function(message)
    return message.method == method
  end)
end

---A repository with these files.
local function repository(name, files)
  local dir = ('%s/%s'):format(vim.env.TEST_HOME, name)
  vim.fn.mkdir(dir, 'p')
  vim.fn.system({ 'git', 'init', '-q', dir })
  for file, lines in pairs(files) do
    vim.fn.writefile(lines, ('%s/%s'):format(dir, file))
  end
  return dir
end

local function attached(bufnr)
  return vim.lsp.get_clients({ name = 'bitbucket', bufnr = bufnr or 0 })[1]
end

---All virtual text of the current buffer, by 0-based line.
local function drawn(line)
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

local code = { '// the till', 'pay()', 'charge()' }

local function plain()
  local sentences = {}
  vim.notify = function(message)
    table.insert(sentences, message)
  end
  local function said(text)
    return vim.iter(sentences):any(function(sentence)
      return sentence:find(text, 1, true)
    end)
  end

  check('every verb has its <Plug> map', function()
    return vim.iter(require('bitbucket.command').complete('')):all(function(verb)
      return vim.fn.maparg(('<Plug>(bitbucket-%s)'):format(verb), 'n') ~= ''
    end)
  end)
  check('verbs are completed', function()
    return vim.deep_equal(vim.fn.getcompletion('Bitbucket s', 'cmdline'), { 'show', 'status', 'switch' })
  end)
  vim.cmd.Bitbucket('refresh')
  check('without a server a command says what to do', function()
    return said('open a file of a git repository')
  end)
  vim.cmd.Bitbucket('shwo')
  check('an unknown verb names the known ones', function()
    return said('There is no :Bitbucket shwo; the verbs are browser')
  end)

  local one = repository('one', { ['pay.rs'] = code, ['.git/COMMIT_EDITMSG'] = { 'charge' } })
  local two = repository('two', { ['pay.py'] = code })
  local work_tree = vim.env.TEST_HOME .. '/work tree'
  vim.fn.system({
    'git',
    '-C',
    two,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@t',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  })
  vim.fn.system({ 'git', '-C', two, 'worktree', 'add', '-q', '-b', 'side', work_tree })
  vim.fn.writefile(code, work_tree .. '/pay.js')

  -- What must not be attached comes first, so that a wrong attachment has had all the time to happen.
  vim.fn.writefile({ 'charge' }, vim.env.TEST_HOME .. '/outside.txt')
  vim.cmd.edit(vim.env.TEST_HOME .. '/outside.txt')
  local outside = vim.api.nvim_get_current_buf()
  vim.cmd.edit(one .. '/.git/COMMIT_EDITMSG')
  local message = vim.api.nvim_get_current_buf()

  vim.cmd.edit(one .. '/pay.rs')
  check('a file of a repository is attached', attached)
  check('a file outside a repository is not', function()
    return not attached(outside)
  end)
  check('nor one inside .git', function()
    return not attached(message)
  end)
  check('the thread is drawn on its line, its first line only', function()
    return drawn(2):find('Why twice?', 1, true) and not drawn(2):find('All of it', 1, true)
  end)
  check('the summary lens is drawn', function()
    return drawn(0):find('lens 0', 1, true)
  end)
  check('a thread is drawn once: its lens is not', function()
    return not drawn(2):find('lens', 1, true)
  end)
  check('the lens of a thread can be run all the same', function()
    return vim.iter(vim.lsp.codelens.get(0)):any(function(lens)
      return lens.range.start.line == 2
    end)
  end)
  check('the diagnostics of others look as before', function()
    return not vim.diagnostic.config().virtual_text
  end)

  vim.api.nvim_buf_set_lines(0, 0, 0, false, { '// new' })
  check('after an edit above, the thread is drawn a line below', function()
    return drawn(3):find('Why twice?', 1, true)
  end)

  server.lens = 'again'
  local answered
  vim.schedule(function()
    answered = { server.dispatchers.server_request('workspace/codeLens/refresh', nil) }
  end)
  check('workspace/codeLens/refresh is answered', function()
    return answered and answered[1] == vim.NIL and not answered[2]
  end)
  check('and the lenses are asked for anew', function()
    return drawn(0):find('again', 1, true)
  end)

  vim.api.nvim_win_set_cursor(0, { 4, 2 })
  vim.cmd.Bitbucket('next')
  check('a command carries the cursor', function()
    local request = told('workspace/executeCommand')
    local argument = request and request.params.arguments[1]
    return argument
      and request.params.command == 'bitbucket.nextComment'
      and vim.deep_equal(argument, { uri = vim.uri_from_bufnr(0), line = 3, character = 2 })
  end)

  vim.g.clipboard = {
    name = 'test',
    copy = {
      ['+'] = function(lines)
        server.clipboard = lines
      end,
      ['*'] = function() end,
    },
    paste = {
      ['+'] = function()
        return { server.clipboard or {}, 'v' }
      end,
      ['*'] = function()
        return {}
      end,
    },
  }
  vim.cmd.Bitbucket('copy')
  check('a link comes to the clipboard', function()
    return vim.deep_equal(server.clipboard, { 'https://bitbucket.org/x/y/pull-requests/7' })
  end)

  vim.cmd.Bitbucket('thread')
  local float
  check('the thread floats', function()
    float = vim.b.lsp_floating_preview
    return float
      and vim.api.nvim_win_is_valid(float)
      and table
        .concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(float), 0, -1, false))
        :find('Why twice?', 1, true)
  end)
  vim.cmd.Bitbucket('thread')
  check('a second time enters it', function()
    return vim.api.nvim_get_current_win() == float
  end)
  vim.cmd.Bitbucket('thread')
  check('a third time leaves it', function()
    return vim.api.nvim_get_current_win() ~= float
  end)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.cmd.Bitbucket('thread')
  check('a line without a thread says so', function()
    return said('No comment on this line')
  end)

  local links = told('workspace/executeCommand')
  local copies = #vim.tbl_filter(function(m)
    return m.method == 'workspace/executeCommand'
  end, server.told)
  vim.lsp.codelens.run()
  check('running a lens runs its command', function()
    return #vim.tbl_filter(function(m)
      return m.method == 'workspace/executeCommand'
    end, server.told) == copies + 1 and told('workspace/executeCommand') ~= links
  end)
  check('and the lens is drawn again afterwards', function()
    return drawn(0):find('lens 0', 1, true)
  end)
  vim.bo.modified = false

  vim.cmd.edit(two .. '/pay.py')
  check('a second repository is attached', attached)
  vim.cmd.edit(vim.fn.fnameescape(work_tree .. '/pay.js'))
  check('a linked work tree is attached', attached)
  check('all of it by one server', function()
    return server.starts == 1
  end)
  check('which was told of each folder once', function()
    local added = vim
      .iter(server.told)
      :filter(function(m)
        return m.method == 'workspace/didChangeWorkspaceFolders'
      end)
      :map(function(m)
        return m.params.event.added[1].uri
      end)
      :totable()
    return vim.deep_equal(added, { vim.uri_from_fname(two), vim.uri_from_fname(work_tree) })
  end)

  local documents = vim.env.XDG_CACHE_HOME .. '/bitbucket-lsp/documents'
  vim.fn.mkdir(documents, 'p')
  vim.fn.writefile({ '# Seven' }, documents .. '/7.md')
  vim.cmd.edit(documents .. '/7.md')
  check('a document of the server is attached', attached)
  check('read-only, as Markdown', function()
    return vim.bo.readonly and not vim.bo.modifiable and vim.bo.filetype == 'markdown'
  end)
  check('by the same server, without a folder', function()
    return server.starts == 1 and #attached().workspace_folders == 3
  end)
  vim.fn.writefile({ '# Seven, changed' }, documents .. '/7.md')
  vim.api.nvim_exec_autocmds('CursorHold', { buffer = 0 })
  check('it follows the file', function()
    return vim.api.nvim_buf_get_lines(0, 0, 1, false)[1] == '# Seven, changed'
  end)

  vim.env.BITBUCKET_EMAIL, vim.env.BITBUCKET_API_TOKEN = 'ana@example.com', 'hidden-value'
  vim.cmd.checkhealth('bitbucket')
  local report = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  check(':checkhealth names the account variables', function()
    return report:find('BITBUCKET_EMAIL and BITBUCKET_API_TOKEN are set', 1, true)
  end)
  check('never their values', function()
    return not report:find('hidden-value', 1, true) and not report:find('ana@example', 1, true)
  end)
  check('and each repository', function()
    return report:find('Repository: ' .. one, 1, true) and report:find('Repository: ' .. work_tree, 1, true)
  end)
end

---A file without a type is attached too, and the user's options are kept.
local function without_filetype()
  vim.g.bitbucket_virtual_text, vim.g.bitbucket_code_lens = false, false
  require('bitbucket').setup({ settings = { bitbucket = { refreshInterval = 0 } } })
  local dir = repository('one', { ['unknown'] = code })
  vim.cmd.edit(dir .. '/unknown')
  check('a file without a type is attached', function()
    return vim.bo.filetype == '' and attached()
  end)
  check('with its repository', function()
    return attached().root_dir == dir
  end)
  check('settings reach the server', function()
    local message = told('workspace/didChangeConfiguration')
    return message and message.params.settings.bitbucket.refreshInterval == 0
  end)
  check('the thread has its sign', function()
    return vim.iter(vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { details = true })):any(function(mark)
      return (mark[4].sign_text or ''):find('◆')
    end)
  end)
  check('and no virtual text, as the user wants it', function()
    return drawn(2) == ''
  end)
  check('nor were lenses asked for', function()
    return not told('textDocument/codeLens')
  end)
end

---A plugin manager may load the plugin when files are open already.
local function loaded_late()
  local dir = repository('one', { ['unknown'] = code, ['pay.rs'] = code })
  vim.cmd.edit(dir .. '/unknown')
  local unknown = vim.api.nvim_get_current_buf()
  vim.cmd.edit(dir .. '/pay.rs')
  vim.opt.runtimepath:append(vim.env.PLUGIN)
  vim.cmd.source(vim.env.PLUGIN .. '/plugin/bitbucket.lua')
  check('files that are open already are attached', function()
    return attached() and attached(unknown)
  end)
  check('by one server', function()
    return server.starts == 1
  end)
  vim.cmd.source(vim.env.PLUGIN .. '/plugin/bitbucket.lua')
  check('loading it again changes nothing', function()
    return #vim.api.nvim_get_autocmds({ group = 'bitbucket', event = 'LspAttach' }) == 1
  end)
end

local modes = { plain = plain, without_filetype = without_filetype, loaded_late = loaded_late }
local ok, problem = xpcall(modes[vim.env.MODE], debug.traceback)
if not ok then
  failed = failed + 1
  io.stdout:write('FAIL ' .. problem .. '\n')
end
io.stdout:write(('%d passed, %d failed\n'):format(passed, failed))
vim.cmd(failed == 0 and 'qall!' or 'cquit 1')
