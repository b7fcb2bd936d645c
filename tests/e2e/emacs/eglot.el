;;; eglot.el --- Emacs 30 with its own eglot, and nothing of ours in it  -*- lexical-binding: t -*-
;;; Commentary:
;; The journey of a reader in an editor without a wrapper: docs/editors.md says what to put into one's configuration,
;; and this does just that.  Run it in a world: world.py run emacs emacs --batch -Q -l eglot.el
;; Where nobody is signed in (signed_out.py run emacs ...), it signs in and does no more.
;; With E2E_WRITE set, somebody answers the review, by code actions and files only.
;;; Code:
(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'subr-x)

;; What Emacs asks by a question is answered by the choice that starts with this; nothing: none is taken.
(defvar e2e-answer nil)
(advice-add 'completing-read :override
            (lambda (_prompt choices &rest _)
              (or (and e2e-answer (cl-find-if (lambda (choice) (string-prefix-p e2e-answer choice)) (mapcar (lambda (choice) (if (consp choice) (car choice) choice)) choices)))
                  (signal 'quit nil))))

;; What a user has in the configuration.
(add-to-list 'eglot-server-programs '((prog-mode text-mode) . ("bitbucket-lsp")))

(setq eglot-sync-connect 10 eglot-autoshutdown nil eglot-send-changes-idle-time 0.05
      make-backup-files nil create-lockfiles nil auto-save-default nil python-indent-guess-indent-offset nil
      flymake-no-changes-timeout 0.1)

(defvar e2e-passed 0)
(defvar e2e-failed 0)
(defvar e2e-patience 15 "How many seconds a check waits.")
(defvar e2e-clone (getenv "E2E_CLONE"))

(defun e2e-check (name probe)
  "Wait until PROBE gives something; count it as NAME, and say what PROBE saw in vain."
  (let ((end (+ (float-time) e2e-patience)) seen)
    (while (and (not (setq seen (funcall probe))) (< (float-time) end))
      (accept-process-output nil 0.02))
    (if seen (cl-incf e2e-passed) (cl-incf e2e-failed))
    (princ (format "%s %s\n" (if seen "ok" "FAIL") name))))

(defun e2e-equal (name expected probe)
  "Wait until PROBE gives EXPECTED, as NAME."
  (let (seen)
    (e2e-check name (lambda () (equal expected (setq seen (funcall probe)))))
    (unless (equal expected seen) (princ (format "  expected %S\n  but saw  %S\n" expected seen)))))

(defun e2e-comments ()
  "The comments of the buffer as `line: text', lines counted from 1."
  (flymake-start)
  (mapcar (lambda (diagnostic)
            (format "%d: %s" (line-number-at-pos (flymake-diagnostic-beg diagnostic))
                    (flymake-diagnostic-text diagnostic)))
          (sort (flymake-diagnostics) (lambda (one other) (< (flymake-diagnostic-beg one) (flymake-diagnostic-beg other))))))

(defun e2e-lines ()
  "The lines that have a comment."
  (mapcar #'string-to-number (e2e-comments)))

(defun e2e-open (file)
  "Open FILE of the clone in the window, with eglot on it."
  (delete-other-windows)
  (find-file (expand-file-name file e2e-clone))
  (unless (eglot-managed-p) (apply #'eglot (eglot--guess-contact)))
  (flymake-mode 1))

(defun e2e-go (line)
  "Go to LINE."
  (goto-char (point-min))
  (forward-line (1- line)))

(defun e2e-hover ()
  "What eldoc shows at point."
  (let ((end (+ (float-time) 5)) shown)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq shown (if text (substring-no-properties text) ""))))
    (while (and (not shown) (< (float-time) end)) (accept-process-output nil 0.02))
    (or shown "")))

(defun e2e-titles ()
  "The titles of the code actions on the line of point."
  (mapcar (lambda (action) (plist-get action :title))
          (append (eglot-code-actions (line-beginning-position) (line-end-position)) nil)))

(defun e2e-run (title)
  "Run the code action with TITLE, as picking it from the menu does."
  (eglot-execute (eglot-current-server)
                 (cl-find title (append (eglot-code-actions (line-beginning-position) (line-end-position)) nil)
                          :key (lambda (action) (plist-get action :title)) :test #'equal)))

(defun e2e-control (route json)
  "Change what Bitbucket has: ROUTE with a JSON object."
  (unless (zerop (call-process "python3" nil nil nil (getenv "E2E_WORLD") "control" route json))
    (error "Control route %s failed" route)))

(defun e2e-shown (name)
  "A buffer with NAME in its file's name, if there is one."
  (cl-find-if (lambda (buffer) (string-match-p name (or (buffer-file-name buffer) ""))) (buffer-list)))

(defun e2e-journey ()
  "Read the sample's review."
  (e2e-open "till/discounts.py")
  (e2e-check "eglot is connected" #'eglot-current-server)
  (e2e-equal "each comment is on its line" '(1 13 15 24) #'e2e-lines)
  (e2e-check "with its text"
             (lambda () (cl-find-if (lambda (text) (string-match-p "13: .*Nothing keeps this from being 250" text)) (e2e-comments))))
  (e2e-go 13)
  (e2e-check "eldoc shows the thread"
             (lambda () (string-match-p "Nothing keeps this from being 250, or -10" (e2e-hover))))
  (e2e-check "with its replies" (lambda () (string-match-p "I will check it in __post_init__ and raise a ValueError" (e2e-hover))))
  (e2e-check "as text, for there is no Markdown here" (lambda () (not (string-match-p "\\*\\*\\|\\](http" (e2e-hover)))))
  (e2e-go 7)
  (e2e-equal "a line without a comment has none" "" #'e2e-hover)

  (e2e-go 13)
  (e2e-equal "what a lens offers is an action, for eglot has no lenses"
             '("Bitbucket: Reply" "Bitbucket: Resolve thread" "Bitbucket: Resolve thread and go to next"
               "Bitbucket: Add task" "Bitbucket: Edit comment" "Bitbucket: Delete comment" "Bitbucket: Show thread"
               "Bitbucket: Open in browser" "Bitbucket: Copy link" "Bitbucket: Comment on this line"
               "Bitbucket: Suggest a change of this line" "Bitbucket: Comment on lines removed here"
               "Bitbucket: Show pull request #4")
             #'e2e-titles)
  (e2e-run "Bitbucket: Show thread")
  (e2e-check "Show thread opens the thread's document" (lambda () (e2e-shown "/thread-[0-9]+\\.md")))
  (e2e-open "till/discounts.py")

  (let ((begin (float-time)))
    (eglot-execute-command (eglot-current-server) 'bitbucket.showPullRequest
                           (vector (list :uri (eglot-path-to-uri (buffer-file-name)))))
    (e2e-check "a command is answered at once" (lambda () (< (- (float-time) begin) 2))))
  (e2e-check "the pull request is a document" (lambda () (e2e-shown "/pull-request-4\\.md")))
  (e2e-check "with what is said on it"
             (lambda () (with-current-buffer (e2e-shown "/pull-request-4\\.md")
                          (string-match-p "# #4 Discounts: percentages and vouchers" (buffer-string)))))
  (e2e-open "till/discounts.py")

  (e2e-go 6)
  (insert "import enum\nimport math\n\n")
  (eglot--signal-textDocument/didChange)
  (e2e-equal "after an edit above, not saved, the comments stay with their code" '(1 16 18 27) #'e2e-lines)
  (e2e-go 16)
  (e2e-equal "which is this" "    percent: int" (lambda () (buffer-substring-no-properties (line-beginning-position) (line-end-position))))
  (e2e-check "the thread says where it was" (lambda () (string-match-p "moved from line 13" (e2e-hover))))
  (e2e-go 6)
  (delete-line) (delete-line) (delete-line)
  (eglot--signal-textDocument/didChange)
  (e2e-equal "undone, they are where they were" '(1 13 15 24) #'e2e-lines)

  (e2e-control "comments" "{\"file\":\"till/discounts.py\",\"author\":\"ben\",\"on\":\"class Fixed:\",\"text\":\"Voucher?\"}")
  (eglot-execute-command (eglot-current-server) 'bitbucket.refresh [nil])
  (e2e-equal "a new comment is there after a refresh" '(1 13 15 20 24) #'e2e-lines)

  (set-buffer-modified-p nil)
  (let ((pid (with-temp-buffer (insert-file-contents (getenv "E2E_PID_FILE")) (string-to-number (buffer-string)))))
    (e2e-check "the server runs" (lambda () (file-exists-p (format "/proc/%d" pid))))
    (eglot-shutdown (eglot-current-server))
    (e2e-check "and ends when it is told to" (lambda () (not (file-exists-p (format "/proc/%d" pid)))))))

(defun e2e-tells (route)
  "What Bitbucket has at ROUTE."
  (with-temp-buffer
    (call-process "python3" nil t nil (getenv "E2E_WORLD") "tells" route)
    (goto-char (point-min))
    (json-parse-buffer :object-type 'plist :array-type 'list :null-object nil :false-object nil)))

(defun e2e-written ()
  "The raw texts of all comments on Bitbucket."
  (mapcar (lambda (comment) (plist-get comment :raw))
          (e2e-tells "comments?repository=corner-shop/till&pull_request=4")))

(defun e2e-resolved (text)
  "Whether the thread that begins with TEXT is resolved on Bitbucket."
  (plist-get (cl-find-if (lambda (comment) (string-prefix-p text (plist-get comment :raw)))
                         (e2e-tells "comments?repository=corner-shop/till&pull_request=4"))
             :resolved_by))

(defun e2e-tasks ()
  "The tasks on Bitbucket: text, and who did it."
  (mapcar (lambda (task) (list (plist-get task :raw) (plist-get task :resolved_by)))
          (e2e-tells "tasks?repository=corner-shop/till&pull_request=4")))

(defun e2e-in-draft (name)
  "Switch to the draft whose file begins with NAME, with eglot on it, as a user of text-mode hooks has it."
  (e2e-check (format "a draft opens: %s" name) (lambda () (e2e-shown (format "/drafts/%s-[0-9a-f]+\\.md" name))))
  (switch-to-buffer (e2e-shown (format "/drafts/%s-[0-9a-f]+\\.md" name)))
  (unless (derived-mode-p 'text-mode) (text-mode))
  ;; The folder of drafts is a project of its own, which has a server from the first draft on.
  (unless (eglot-managed-p) (eglot--maybe-activate-editing-mode))
  (unless (eglot-managed-p) (apply #'eglot (eglot--guess-contact)))
  (e2e-check "with what can be done with it" (lambda () (cl-find "Bitbucket: Discard" (e2e-titles) :test #'equal))))

(defun e2e-typed (text)
  "Type TEXT at the start of the buffer."
  (goto-char (point-min))
  (insert text)
  (eglot--signal-textDocument/didChange))

(defun e2e-leave ()
  "Leave the draft, whose file is gone."
  (let ((file (buffer-file-name)))
    (e2e-check "its file goes once Bitbucket has it" (lambda () (not (file-exists-p file))))
    (set-buffer-modified-p nil)
    (kill-buffer)))

(defun e2e-write ()
  "Answer the sample's review."
  (e2e-open "till/discounts.py")
  (e2e-equal "each comment is on its line" '(1 13 15 24) #'e2e-lines)
  (e2e-go 13)
  (e2e-run "Bitbucket: Reply")
  (e2e-in-draft "reply")
  (e2e-typed "I will, today.")
  (let ((inhibit-message t)) (save-buffer))
  (e2e-check "saving sends nothing" (lambda () (not (member "I will, today." (e2e-written)))))
  (e2e-run "Bitbucket: Send reply")
  (e2e-check "sent by an action, Bitbucket has it" (lambda () (member "I will, today." (e2e-written))))
  (e2e-leave)

  (e2e-open "till/discounts.py")
  (e2e-go 13)
  (e2e-run "Bitbucket: Resolve thread")
  (e2e-equal "a thread is resolved" "ana" (lambda () (e2e-resolved "Nothing keeps")))
  (e2e-equal "and goes from the code" '(1 15 24) #'e2e-lines)

  (setq e2e-answer "Resolve only")
  (e2e-go 15)
  (e2e-run "Bitbucket: Apply suggestion")
  (e2e-check "a suggestion is put into the code"
             (lambda () (string-match-p "^        return Money((total.cents \\* self.percent \\+ 50) // 100)$" (buffer-string))))
  (e2e-equal "and its thread is resolved, as the question was answered" "ana" (lambda () (e2e-resolved "This rounds down")))
  (setq e2e-answer nil)

  (e2e-go 1)
  (e2e-run "Bitbucket: Add task")
  (e2e-in-draft "task")
  (e2e-typed "Ask the cashiers")
  (e2e-run "Bitbucket: Send task")
  (e2e-check "a task is added" (lambda () (member '("Ask the cashiers" nil) (e2e-tasks))))
  (e2e-leave)
  (e2e-open "till/discounts.py")
  (e2e-go 1)
  (e2e-check "it can be done" (lambda () (cl-find "Bitbucket: Complete task" (e2e-titles) :test #'equal)))
  (e2e-run "Bitbucket: Complete task")
  (e2e-check "and is" (lambda () (member '("Ask the cashiers" "ana") (e2e-tasks))))

  (e2e-go 12)
  (e2e-run "Bitbucket: Comment on this line")
  (e2e-in-draft "comment")
  (e2e-typed "A good name, @cle")
  (goto-char (point-min))
  (end-of-line)
  (let ((end (point)))
    (e2e-equal "people are completed" '("Cleo Lindqvist")
               (lambda () (let ((found (eglot-completion-at-point)))
                            (and found (mapcar #'substring-no-properties (all-completions "" (nth 2 found)))))))
    (goto-char end)
    (delete-char -5))
  (e2e-typed "")
  (e2e-run "Bitbucket: Send comment")
  (e2e-check "a comment on a line is sent" (lambda () (member "A good name," (e2e-written))))
  (e2e-leave)

  (e2e-open "till/cart.py")
  (e2e-go 35)
  (e2e-check "another file has its comments" (lambda () (cl-find "Bitbucket: Reply" (e2e-titles) :test #'equal)))
  (e2e-run "Bitbucket: Reply")
  (e2e-in-draft "reply")
  (let ((file (buffer-file-name)))
    (e2e-typed "Never mind.")
    (e2e-run "Bitbucket: Discard")
    (e2e-check "a draft can be discarded" (lambda () (not (file-exists-p file))))
    (e2e-check "and is not sent" (lambda () (not (member "Never mind." (e2e-written))))))
  (set-buffer-modified-p nil)
  (kill-buffer)
  (dolist (buffer (buffer-list)) (with-current-buffer buffer (when buffer-file-name (set-buffer-modified-p nil))))
  (eglot-shutdown (eglot-current-server)))

(defun e2e-said (text)
  "Whether a message had TEXT."
  (with-current-buffer (messages-buffer) (string-match-p (regexp-quote text) (buffer-string))))

(defun e2e-sign-in ()
  "Sign in with the browser."
  (let ((browse-url-browser-function #'browse-url-xdg-open) (e2e-patience 60))
    (e2e-open "till/discounts.py")
    (e2e-check "it is said that nobody is signed in" (lambda () (e2e-said "You are not signed in to Bitbucket")))
    (e2e-equal "so there are no comments" nil #'e2e-lines)
    (setenv "E2E_BROWSER" "grant")
    (eglot-execute-command (eglot-current-server) 'bitbucket.generateToken [nil])
    (e2e-equal "after signing in they are there" '(1 13 15 24) #'e2e-lines)
    (e2e-check "and it is said as whom" (lambda () (e2e-said "Signed in to Bitbucket as Ana Ruiz")))
    (eglot-shutdown (eglot-current-server))))

(princ (format "# emacs %s, eglot\n" emacs-version))
(condition-case problem
    (cond ((getenv "E2E_BROWSER_VISITS") (e2e-sign-in))
          ((getenv "E2E_WRITE") (e2e-write))
          (t (e2e-journey)))
  (error (cl-incf e2e-failed)
         (princ (format "FAIL %s\n" (error-message-string problem)))))
(princ (format "%d passed, %d failed\n" e2e-passed e2e-failed))
(kill-emacs (if (zerop e2e-failed) 0 1))
;;; eglot.el ends here
