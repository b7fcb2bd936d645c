-- The checks of the verbs, of what each tells the server, and of the keys.

return function(kit)
  local check, equal, attached = kit.check, kit.equal, kit.attached
  local last, commands, press, open_code = kit.last_command, kit.count_commands, kit.press, kit.open_code
  local M = {}

  function M.verbs()
    local said = kit.listen()
    vim.cmd.edit(vim.env.TEST_HOME .. '/outside.txt')
    open_code()
    local uri = vim.uri_from_bufnr(0)
    local here = { uri = uri, line = 2, character = 2 }
    local function with(more)
      return vim.tbl_extend('force', here, more)
    end

    for verb, expected in
      vim.spairs({
        ['reply'] = { 'reply', here },
        ['reply Done, thanks'] = { 'reply', with({ text = 'Done, thanks' }) },
        ['reply  a | b "c" #12 50 % <cword> \\n '] = {
          'reply',
          with({ text = 'a | b "c" #12 50 % <cword> \\n' }),
        },
        ['reply -- -- so be it'] = { 'reply', with({ text = '-- so be it' }) },
        ['comment'] = { 'addComment', here },
        ['comment Why?'] = { 'addComment', with({ text = 'Why?' }) },
        ['comment -- file it'] = { 'addComment', with({ text = 'file it' }) },
        ['comment files are open'] = { 'addComment', with({ text = 'files are open' }) },
        ['comment file'] = { 'addComment', { uri = uri } },
        ['comment file -- Split it.'] = { 'addComment', { uri = uri, text = 'Split it.' } },
        ['comment pull-request'] = { 'addComment', vim.empty_dict() },
        ['comment pull-request -- Nice.'] = { 'addComment', { text = 'Nice.' } },
        ['comment removed'] = { 'addComment', with({ side = 'from' }) },
        ['comment removed -- Why?'] = { 'addComment', with({ side = 'from', text = 'Why?' }) },
        ['suggest'] = { 'suggestChange', here },
        ['edit'] = { 'editComment', here },
        ['edit Why three times?'] = { 'editComment', with({ text = 'Why three times?' }) },
        ['delete'] = { 'deleteComment', here },
        ['resolve'] = { 'resolveThread', here },
        ['resolve next'] = { 'resolveAndNext', here },
        ['reopen'] = { 'reopenThread', here },
        ['apply'] = { 'applySuggestion', here },
        ['apply all'] = { 'applyAllSuggestions', here },
        ['task'] = { 'addTask', here },
        ['task Test it'] = { 'addTask', with({ text = 'Test it' }) },
        ['task -- edit the README'] = { 'addTask', with({ text = 'edit the README' }) },
        ['task done'] = { 'completeTask', here },
        ['task reopen'] = { 'reopenTask', here },
        ['task edit'] = { 'editTask', here },
        ['task edit -- Test all'] = { 'editTask', with({ text = 'Test all' }) },
        ['task delete'] = { 'deleteTask', here },
        ['send'] = { 'sendDraft', here },
        ['discard'] = { 'discardDraft', here },
        ['drafts'] = { 'showDrafts', here },
      })
    do
      vim.cmd('Bitbucket ' .. verb)
      equal(
        (':Bitbucket %s is %s'):format(verb, expected[1]),
        { 'bitbucket.' .. expected[1], expected[2] },
        last
      )
    end

    vim.cmd('1,2Bitbucket comment These two')
    equal('a range is the lines', {
      'bitbucket.addComment',
      { uri = uri, line = 0, endLine = 1, character = 0, text = 'These two' },
    }, last)
    vim.cmd('2Bitbucket suggest')
    equal('so is a single line', {
      'bitbucket.suggestChange',
      { uri = uri, line = 1, endLine = 1, character = 0 },
    }, last)
    for keys, command in
      vim.spairs({
        ['2GlvjH<Plug>(bitbucket-comment)'] = 'addComment',
        ['1GVj<Plug>(bitbucket-suggest)'] = 'suggestChange',
        ['2GVk<Plug>(bitbucket-comment-removed)'] = 'addComment',
      })
    do
      press(keys)
      equal(('a selection is its lines: %s'):format(keys), { 'bitbucket.' .. command, 0, 1 }, function()
        local seen = last() or { '', {} }
        return { seen[1], seen[2].line, seen[2].endLine }
      end)
    end
    check('and is one no longer', function()
      return vim.fn.mode() == 'n'
    end)
    vim.api.nvim_win_set_cursor(0, { 3, 2 })
    press('<Plug>(bitbucket-resolve-next)')
    equal('a map of two words', { 'bitbucket.resolveAndNext', here }, last)

    local before = commands()
    for verb, sentence in
      vim.spairs({
        ['task edit the README'] = 'type `:Bitbucket task edit -- the README` or `:Bitbucket task -- edit the README`',
        ['task done with it'] = 'type `:Bitbucket task done` or `:Bitbucket task -- done with it`',
        ['comment removed by mistake?'] = 'or `:Bitbucket comment -- removed by mistake?`',
        ['resolve all'] = 'There is no :Bitbucket resolve all',
        ['resolve next one'] = 'There is no :Bitbucket resolve next one',
        ['next one'] = 'There is no :Bitbucket next one',
        ['comment --'] = 'There is no text after `--`',
      })
    do
      vim.cmd('Bitbucket ' .. verb)
      check((':Bitbucket %s is not guessed at'):format(verb), function()
        return said(sentence)
      end)
    end
    vim.cmd.buffer('outside.txt')
    for _, verb in ipairs({ 'comment', 'comment file', 'comment removed', 'suggest', 'apply all' }) do
      vim.cmd('Bitbucket ' .. verb)
    end
    check('a buffer of no repository has no lines to comment on', function()
      return said('Nothing was sent: this buffer is no file of a repository')
    end)
    check('and nothing of all that was sent', function()
      return commands() == before
    end)
    vim.cmd('Bitbucket comment pull-request -- Nice.')
    equal(
      'the pull request can be commented on from anywhere',
      { 'bitbucket.addComment', { text = 'Nice.' } },
      last
    )

    local function completed(typed)
      return vim.fn.getcompletion(typed, 'cmdline')
    end
    equal('verbs of two words are completed', { 'file', 'pull-request', 'removed' }, function()
      return completed('Bitbucket comment ')
    end)
    equal('as they are typed', { 'delete', 'done' }, function()
      return completed('Bitbucket task d')
    end)
    equal('after a range too', { 'comment', 'copy' }, function()
      return completed('1,2Bitbucket co')
    end)
    equal('and after other words', { 'next' }, function()
      return completed('silent keepjumps Bitb resolve n')
    end)
    equal('a text is not', {}, function()
      return completed('Bitbucket comment file ')
    end)

    vim.cmd.buffer('pay.rs')
    vim.api.nvim_win_set_cursor(0, { 3, 2 })
    vim.cmd.Bitbucket('thread')
    check('the thread floats', function()
      return vim.b.lsp_floating_preview
    end)
    vim.cmd.Bitbucket('thread')
    check('and is entered', function()
      return vim.w.bitbucket_thread
    end)
    vim.cmd('Bitbucket reply')
    equal('a verb in it is about its line', { 'bitbucket.reply', here }, last)
  end

  function M.maps()
    kit.listen()
    vim.cmd.edit(vim.env.TEST_HOME .. '/outside.txt')
    local outside = vim.api.nvim_get_current_buf()
    open_code()
    press('\\br')
    check('with g:bitbucket_maps there are keys', function()
      local seen = last()
      return seen and seen[1] == 'bitbucket.reply'
    end)
    press('1GVj\\bc')
    equal('also for a selection', { 'bitbucket.addComment', 0, 1 }, function()
      local seen = last() or { '', {} }
      return { seen[1], seen[2].line, seen[2].endLine }
    end)
    local function ours(bufnr, mode)
      return vim.tbl_filter(function(map)
        return (map.rhs or ''):find('<Plug>(bitbucket-', 1, true)
      end, vim.api.nvim_buf_get_keymap(bufnr, mode))
    end
    check('each says what it does', function()
      local maps = vim.list_extend(ours(0, 'n'), ours(0, 'x'))
      return #maps > 20
        and vim.iter(maps):all(function(map)
          return vim.startswith(map.desc or '', 'Bitbucket: ')
        end)
    end)
    check('each leads somewhere', function()
      return vim.iter({ 'n', 'x' }):all(function(mode)
        return vim.iter(ours(0, mode)):all(function(map)
          return vim.fn.maparg(map.rhs, mode) ~= ''
        end)
      end)
    end)
    check('the help file names each', function()
      local help = table.concat(vim.fn.readfile(vim.env.PLUGIN .. '/doc/bitbucket.txt'), '\n')
      return vim.iter(ours(0, 'n')):all(function(map)
        return help:find(('\n    {prefix}%s '):format(map.lhs:gsub('^\\b', '')), 1, true)
      end)
    end)
    check('files of no repository keep theirs', function()
      return #ours(outside, 'n') == 0
    end)
    vim.g.bitbucket_maps = '<Space>'
    vim.cmd.edit(kit.repository('two', { ['pay.py'] = kit.code }) .. '/pay.py')
    check('another file is attached', attached)
    press('<Space>R')
    check('the prefix can be another', function()
      local seen = last()
      return seen and seen[1] == 'bitbucket.resolveThread' and #ours(0, 'n') > 20
    end)
  end

  return M
end
