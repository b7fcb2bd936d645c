-- The checks of drafts: their splits, what is done in them, and how they are closed.

local server = _G.server ---@type table

return function(kit)
  local check, equal, told, attached, drawn = kit.check, kit.equal, kit.told, kit.attached, kit.drawn
  local last, commands, press = kit.last_command, kit.count_commands, kit.press

  local folder = vim.env.XDG_STATE_HOME .. '/bitbucket-lsp/drafts'

  ---Has the server make a draft and show it.
  local function show(name, lines, position, more)
    vim.fn.mkdir(folder, 'p')
    local path = ('%s/%s.md'):format(folder, name)
    if lines then
      vim.fn.writefile(lines, path)
    end
    local at = position or { line = 0, character = 0 }
    local params = { uri = vim.uri_from_fname(path), selection = { start = at, ['end'] = at } }
    local answer
    vim.schedule(function()
      answer =
        server.dispatchers.server_request('window/showDocument', vim.tbl_extend('force', params, more or {}))
    end)
    check(name .. ' is shown', function()
      return answer and answer.success
    end)
    return vim.fn.bufnr(path), params.uri
  end

  ---Has the server say that a draft is gone, its file too.
  local function close(uri)
    vim.fn.delete(vim.uri_to_fname(uri))
    server.dispatchers.notification('bitbucket/draftClosed', { uri = uri })
  end

  local function windows(bufnr)
    return #vim.fn.win_findbuf(bufnr)
  end

  local function exists(bufnr)
    return vim.api.nvim_buf_is_valid(bufnr)
  end

  local reply = { '', '<!-- Above this line: your answer. -->', '> Why twice?' }

  return function()
    local said = kit.listen()
    local code = kit.open_code()
    equal('the server learns that drafts are closed here', true, function()
      local message = told('initialize')
      return message and message.params.initializationOptions.draftClosed
    end)

    local one, uri = show('reply-0123456789abcdef', reply)
    check('a draft is in a split, below the code', function()
      local here = vim.api.nvim_win_get_position(0)[1]
      return vim.api.nvim_get_current_buf() == one and windows(code) == 1 and here > 1
    end)
    check('as Markdown that can be typed into', function()
      return attached() and vim.bo.filetype == 'markdown' and vim.bo.modifiable and not vim.bo.readonly
    end)
    check('in normal mode, at the place to type', function()
      return vim.fn.mode() == 'n' and vim.deep_equal(vim.api.nvim_win_get_cursor(0), { 1, 0 })
    end)
    check('all that can be done with it is written on its first line', function()
      return drawn(0):find('Send | Discard', 1, true)
    end)
    check('it has no swap file: the server keeps what is typed', function()
      return not vim.bo.swapfile and vim.fn.swapname(one) == ''
    end)
    check('Neovim completes in it', function()
      return vim.bo.omnifunc == 'v:lua.vim.lsp.omnifunc'
    end)
    press('i@<C-x><C-o>')
    check('and asks the server for that', function()
      return told('textDocument/completion')
    end)
    vim.cmd.stopinsert()
    vim.api.nvim_buf_set_lines(one, 0, 1, false, { 'Because.' })
    local before = commands()
    vim.cmd.write({ mods = { silent = true } })
    check(':w keeps it, and sends nothing', function()
      return vim.fn.readfile(vim.uri_to_fname(uri))[1] == 'Because.' and commands() == before
    end)
    vim.cmd.wincmd('k')
    show('reply-0123456789abcdef', nil, { line = 0, character = 8 })
    check('shown again it has no second split', function()
      return vim.api.nvim_get_current_buf() == one and windows(one) == 1
    end)

    vim.api.nvim_buf_set_lines(one, 0, 1, false, { 'Because of that.' })
    vim.cmd.Bitbucket('send')
    equal('a draft is sent as it stands, saved or not', 'Because of that.', function()
      local change = told('textDocument/didChange')
      return change and vim.split(change.params.contentChanges[1].text, '\n')[1]
    end)
    equal('by its document', { 'bitbucket.sendDraft', uri }, function()
      local seen = last()
      return seen and { seen[1], seen[2].uri }
    end)
    close(uri)
    check('once sent, split and buffer are gone', function()
      return not exists(one) and #vim.api.nvim_tabpage_list_wins(0) == 1
    end)
    check('without a question or a complaint', function()
      return not said('stays')
    end)

    local two
    two, uri = show('comment-0123456789abcdef', reply)
    vim.api.nvim_buf_set_lines(two, 0, 1, false, { 'First' })
    check('another one has its lens', function()
      return drawn(0):find('Send', 1, true)
    end)
    vim.api.nvim_win_set_cursor(0, { 1, 0 })
    vim.ui.select = function(items, _, choose)
      choose(items[1])
    end
    vim.lsp.codelens.run()
    equal('a lens sends too', { 'bitbucket.sendDraft', { draft = 'comment-0123456789abcdef' } }, last)
    vim.api.nvim_buf_set_lines(two, 0, 1, false, { 'First, and more' })
    close(uri)
    check('what was typed after the sending stays', function()
      return exists(two) and vim.api.nvim_buf_get_lines(two, 0, 1, false)[1] == 'First, and more'
    end)
    check('and that is said', function()
      return said('comment-0123456789abcdef.md stays open')
    end)
    vim.cmd.checktime(two)
    check('its file being gone is no news', function()
      return not vim.v.warningmsg:find('E211', 1, true) and exists(two)
    end)
    vim.cmd.bwipeout({ bang = true })

    local three
    three, uri = show('edit-0123456789abcdef', { 'Why twice?', '', reply[2] }, { line = 0, character = 10 })
    check('the cursor is behind what stands there', function()
      return vim.api.nvim_win_get_cursor(0)[2] == 9
    end)
    vim.cmd.wincmd('k')
    close(uri)
    check('one that another window sent is closed where nothing was typed', function()
      return not exists(three)
    end)
    three, uri = show('edit-0123456789abcdef', reply)
    vim.api.nvim_buf_set_lines(three, 0, 1, false, { 'Mine' })
    vim.cmd.hide()
    close(uri)
    check('and stays where something was, also out of sight', function()
      return exists(three) and vim.bo[three].modified and said('edit-0123456789abcdef.md stays open')
    end)
    vim.cmd.bwipeout({ three, bang = true })

    local four
    four, uri = show('task-0123456789abcdef', reply)
    press('ione<Esc>')
    vim.cmd.Bitbucket('discard')
    vim.cmd.write({ mods = { silent = true } })
    close(uri)
    check('saving is not typing', function()
      return not exists(four)
    end)

    four, uri = show('task-0123456789abcdef', reply)
    vim.cmd.only()
    close(uri)
    check('a draft in the only window leaves the window', function()
      return not exists(four) and vim.api.nvim_get_current_buf() == code
    end)

    vim.cmd.vsplit()
    vim.fn.writefile(reply, vim.uri_to_fname(uri))
    vim.cmd.edit(vim.uri_to_fname(uri))
    check('a draft that is opened by hand is attached', attached)
    check('and has no swap file either', function()
      return not vim.bo.swapfile
    end)
    close(uri)
    check('its window is not taken away with it', function()
      return vim.fn.bufexists(vim.uri_to_fname(uri)) == 0 and windows(code) == 2
    end)
    vim.cmd.only()

    four, uri = show('reply-00000000000000aa', reply)
    check('the next one is attached', attached)
    vim.api.nvim_buf_set_lines(four, 0, 1, false, { 'On the screen' })
    vim.fn.writefile({ 'On the disk, and longer' }, vim.uri_to_fname(uri))
    vim.cmd.checktime(four)
    check('a file that changes under a text that is typed does not replace it', function()
      return vim.api.nvim_buf_get_lines(four, 0, 1, false)[1] == 'On the screen'
    end)
    vim.fn.writefile({ 'On the screen', reply[2], reply[3] }, vim.uri_to_fname(uri))
    vim.cmd.checktime(four)
    check('where the server has saved the same, it counts as saved', function()
      return not vim.bo[four].modified
    end)
    vim.api.nvim_buf_set_lines(four, 0, 1, false, { 'More' })
    vim.cmd.write({ mods = { silent = true } })
    check('and nobody is asked before the next time', function()
      return vim.fn.readfile(vim.uri_to_fname(uri))[1] == 'More'
    end)
    vim.fn.writefile({ 'Restored from disk' }, vim.uri_to_fname(uri))
    show('reply-00000000000000aa')
    check('a draft that is shown again is as the server has it', function()
      return vim.api.nvim_buf_get_lines(four, 0, 1, false)[1] == 'Restored from disk'
    end)
    vim.cmd.bwipeout()

    -- Where the code is not in the current window.
    vim.cmd.copen()
    four = show('reply-00000000000000ab', reply)
    check('a quickfix window is not split', function()
      return vim.api.nvim_win_get_position(0)[1] > 1 and vim.fn.winheight(vim.fn.bufwinid(four)) > 4
    end)
    vim.cmd.bwipeout()
    vim.cmd.cclose()
    vim.api.nvim_win_set_cursor(0, { 3, 2 })
    vim.cmd.Bitbucket('thread')
    check('the thread floats', function()
      return vim.b.lsp_floating_preview
    end)
    vim.cmd.Bitbucket('thread')
    four = show('reply-00000000000000ac', reply)
    check('nor is a floating window', function()
      return vim.api.nvim_win_get_config(0).relative == '' and vim.api.nvim_get_current_buf() == four
    end)
    vim.cmd.bwipeout()
    four = show('reply-00000000000000ae', reply, nil, { takeFocus = false })
    check('the focus is not taken where it is not to be', function()
      return vim.api.nvim_get_current_buf() == code and windows(four) == 1
    end)
    vim.cmd.only()
    vim.g.bitbucket_draft_split = 'right'
    four = show('reply-00000000000000af', reply)
    check('the split can be another', function()
      return vim.api.nvim_get_current_buf() == four and vim.fn.winwidth(0) < vim.o.columns - 1
    end)
    vim.cmd.bwipeout()

    local documents = vim.env.XDG_CACHE_HOME .. '/bitbucket-lsp/documents'
    vim.fn.mkdir(documents, 'p')
    vim.fn.writefile({ '# Drafts' }, documents .. '/drafts.md')
    vim.cmd.only()
    four, uri = show('reply-00000000000000ba', reply)
    check('the last one is attached', attached)
    press('ilisted<Esc>')
    vim.cmd.hide()
    server.listed = { [1] = 'reply-00000000000000bb', [2] = 'reply-00000000000000ba' }
    vim.fn.writefile({ '# Drafts', '- another', '- listed', '  wrapped' }, documents .. '/drafts.md')
    vim.cmd.edit(documents .. '/drafts.md')
    check('the list of drafts is attached', attached)
    vim.api.nvim_win_set_cursor(0, { 4, 0 })
    vim.cmd.Bitbucket('send')
    equal('the list sends the draft of its line', {
      'bitbucket.sendDraft',
      { draft = 'reply-00000000000000ba' },
    }, last)
    close(uri)
    check('whose buffer is then gone, unsaved as it was', function()
      return not exists(four)
    end)
    vim.cmd.buffer(code)
    local answer
    vim.schedule(function()
      answer = server.dispatchers.server_request('window/showDocument', {
        uri = vim.uri_from_fname(documents .. '/drafts.md'),
      })
    end)
    check('other documents are shown as ever, in the window', function()
      return answer and answer.success and windows(code) == 0 and not vim.bo.modifiable
    end)
  end
end
