# shellcheck shell=bash
# shellcheck disable=SC2034 # the texts are read in say.sh
# Every text of the installer and the host command, side by side. A test holds the two to each other.

# text KEY RUSSIAN ENGLISH
text() {
  TEXTS_RU[$1]=$2
  TEXTS_EN[$1]=$3
}

text step '▶ %s/14 %s' '▶ %s/14 %s'
text missing 'не задано: передайте %s или переменную %s' 'missing: pass %s or set %s'
text unknown_flag 'неизвестный параметр %s; список: install.sh --help' 'unknown option %s; see install.sh --help'
text no_value 'параметру %s нужно значение' '%s needs a value'
text bad_value '%s: неверное значение; ожидается %s' '%s: not valid; expected %s'
text locked 'другая установка уже идёт (%s)' 'another installation is running (%s)'
text failed 'Ошибка на шаге «%s» (%s:%s). Журнал: %s. После исправления запустите ту же команду ещё раз: она продолжит.' \
  'Failed at "%s" (%s:%s). Log: %s. Once mended, run the same command again: it goes on from there.'
text need_root 'нужны права root: запустите через sudo' 'root is needed: run it with sudo'

text step_begin 'Начало' 'Begin'
text step_platform 'Проверка системы' 'Looking at this host'
text step_tools 'Программы' 'Programs'
text step_docker 'Docker' 'Docker'
text step_release 'Выпуск %s' 'Release %s'
text step_answers 'Вопросы' 'Questions'
text step_env 'Настройки и секреты' 'Settings and secrets'
text step_preflight 'Порты и DNS' 'Ports and DNS'
text step_render 'Сертификаты и проверка файлов' 'Certificates, and a check of the files'
text step_backup 'Резервная копия' 'Backup'
text step_images 'Образы' 'Images'
text step_start 'Запуск' 'Start'
text step_probe 'Проверка через опубликованный порт' 'Asking through the published port'
text step_finish 'Готово' 'Done'

text os_unsupported 'нужен Linux на amd64 или arm64; здесь %s %s' 'Linux on amd64 or arm64 is needed; this is %s %s'
text os_untested 'предупреждение: на %s не проверялось; проверено на Debian 12+, Ubuntu 22.04+, RHEL 9+' \
  'warning: not tried on %s; tried on Debian 12+, Ubuntu 22.04+, RHEL 9+'
text low_memory 'предупреждение: памяти %s МиБ; нужно от 900 МиБ, добавьте файл подкачки' \
  'warning: %s MiB of memory; from 900 MiB on it runs well, add a swap file'
text low_disk 'на %s свободно %s МиБ, а нужно 3000' '%s has %s MiB free, and 3000 are needed'
text clock_off 'предупреждение: часы не синхронизируются; подписи партнёров зависят от времени: timedatectl set-ntp true' \
  'warning: the clock is not synchronised, and partners sign with the time: timedatectl set-ntp true'
text tool_missing 'нет программы %s: установите её и повторите' '%s is missing: install it and run this again'
text docker_missing 'нет Docker: уберите --no-docker-install или установите Docker Engine 25+ и Compose 2.24+' \
  'no Docker: drop --no-docker-install, or install Docker Engine 25+ and Compose 2.24+'
text docker_install 'Устанавливаю Docker Engine с get.docker.com' 'Installing Docker Engine from get.docker.com'
text docker_old 'Docker Engine %s, Compose %s; нужны 25 и 2.24: обновите пакет, которым они поставлены' \
  'Docker Engine %s, Compose %s; 25 and 2.24 are needed: upgrade the package they came in'
text docker_down 'Docker не отвечает: systemctl start docker' 'Docker does not answer: systemctl start docker'

text ask_domain 'Домен, на который партнёры присылают уведомления (или IPv4 этого сервера)' \
  'The domain that partners will call (or the IPv4 address of this host)'
text ask_db 'База данных: bundled (MariaDB здесь же) или external (ваш сервер)' \
  'Database: bundled (MariaDB on this host) or external (a server of yours)'
text ask_database_url 'Адрес вашей MariaDB с правом создавать пользователей: mysql://admin:пароль@host:3306/' \
  'Your MariaDB, as somebody who may create users: mysql://admin:password@host:3306/'
text ask_alert_email 'Куда присылать тревоги (e-mail; Enter: никуда)' 'Where alerts go (e-mail; Enter: nowhere)'
text ask_smtp_url 'Почтовый сервер: smtps://пользователь:пароль@host:465 (Enter: без почты)' \
  'Mail server: smtps://user:password@host:465 (Enter: no mail)'
text ask_acme_email "E-mail для Let's Encrypt" "E-mail for Let's Encrypt"
text auto 'без вопроса: %s = %s' 'not asked: %s = %s'

text env_backup 'Прежний .env сохранён: %s' 'The .env of before is kept: %s'
text env_new_keys 'В .env добавлены ключи: %s' 'Keys added to .env: %s'
text env_invalid 'Настройки не приняты; исправьте %s:' 'The settings are refused; mend %s:'
text env_lost 'в томе %s уже есть база, а .env с её паролями нет: верните %s из резервной копии' \
  'the volume %s holds a database, and the .env with its passwords is gone: bring %s back from a backup'
text port_busy 'порт %s занят (%s). Освободите его, или задайте другой (%s), или поставьте Kopeck за этой программой: --tls external --bind 127.0.0.1 --http-port 8080 --https-port 8443' \
  'port %s is taken (%s). Free it, or choose another (%s), or put Kopeck behind that program: --tls external --bind 127.0.0.1 --http-port 8080 --https-port 8443'
text dns_none '%s не находится в DNS: создайте запись A на %s и повторите (или --skip-dns-check)' \
  '%s is not in DNS: make an A record to %s and run this again (or --skip-dns-check)'
text dns_wrong '%s указывает на %s, а адрес этого сервера %s: исправьте запись A и повторите (или --skip-dns-check)' \
  '%s points to %s, and this host is %s: mend the A record and run this again (or --skip-dns-check)'
text acme_ports "Let's Encrypt приходит на порты 80 и 443: с другими портами выберите --tls selfsigned или external" \
  "Let's Encrypt comes to ports 80 and 443: with other ports choose --tls selfsigned or external"
text selfsigned 'Самоподписанный сертификат: Telegram примет его, если загрузить в setWebhook; банки, CryptoBot и EPN — нет' \
  'A self-signed certificate: Telegram takes it if setWebhook uploads it; banks, CryptoBot and EPN do not'

text dry_run 'Пробный прогон: ничего не установлено и не запущено' 'A dry run: nothing was installed or started'
text no_timer 'Нет systemd: поставьте kopeck backup в cron раз в сутки' 'No systemd: have cron run kopeck backup once a day'
text nothing_new 'Выпуск %s уже установлен' 'Release %s is installed already'
text building 'Собираю образ на этом сервере, это несколько минут' 'Building the image on this host, some minutes'
text pull_failed 'образы не загрузились; ничего не изменено. Можно собрать здесь: --build' \
  'the images could not be had; nothing has changed. They can be built here: --build'
text build_failed 'образ не собрался; ничего не изменено' 'the image could not be built; nothing has changed'
text not_healthy 'Новый выпуск не работает: возвращаю прежний' 'The new release does not work: going back to the one before'
text rolled_back 'Работает прежний выпуск %s. Журнал: %s' 'Release %s runs again. Log: %s'
text rollback_failed 'И прежний выпуск не запустился. Данные целы. Попробуйте: kopeck status; kopeck logs; kopeck rollback; последняя копия: %s' \
  'The release before did not start either. The data is whole. Try: kopeck status; kopeck logs; kopeck rollback; the latest backup: %s'
text not_started 'Не запустилось. Смотрите: kopeck status; kopeck logs. Данные и настройки целы, журнал: %s' \
  'It did not start. See: kopeck status; kopeck logs. Data and settings are whole, log: %s'
text ends_again '%s завершается снова и снова: kopeck logs' '%s ends again and again: kopeck logs'
text late '%s: не готово за %s с' '%s: not ready after %s s'
text no_previous 'прежнего выпуска нет' 'there is no release before this one'
text probe_failed '%s ответил %s, ожидалось %s' '%s answered %s, expected %s'
text cert_pending 'предупреждение: сертификат ещё не выдан; причина: kopeck logs traefik' \
  'warning: there is no certificate yet; the reason: kopeck logs traefik'

text backup_done 'Резервная копия: %s' 'Backup: %s'
text backup_failed 'резервная копия не удалась; ничего не изменено' 'the backup failed; nothing has changed'
text backup_bad '%s: это не целая резервная копия Kopeck' '%s: not a whole backup of Kopeck'
text restore_sure 'Все данные будут заменены копией %s. Продолжить?' 'All data will be replaced by the backup %s. Go on?'
text restore_refused 'не подтверждено: ответьте «да» или передайте --yes' 'not confirmed: answer yes, or pass --yes'
text restore_head 'Восстановлено. Голова книги: %s' 'Restored. Head of the books: %s'
text restore_wrong 'Голова книги %s, а в копии была %s: ничего не запускаю' 'The head of the books is %s, the backup had %s: nothing is started'
text restore_gap 'Платежи после %s есть только у партнёров. Сейчас: kopeck reconcile; для SBP они придут по опросу' \
  'Payments after %s are known to the partners alone. Now: kopeck reconcile; those of SBP come by polling'

text uninstall_sure 'Контейнеры и команда kopeck будут удалены, данные останутся. Продолжить?' \
  'Containers and the kopeck command will be removed, the data stays. Go on?'
text uninstall_done 'Удалено. Данные, копии и .env остались в %s и в томах %s' \
  'Removed. Data, backups and .env are still in %s and in the volumes %s'
text purge_ask 'Чтобы удалить ВСЕ данные без возврата, наберите домен %s' 'To delete ALL data for good, type the domain %s'
text purge_refused 'домен не совпал: данные не тронуты. Без терминала: --purge --yes-delete-my-data' \
  'that is not the domain: the data is untouched. Without a terminal: --purge --yes-delete-my-data'
text purge_done 'Данные удалены' 'The data is deleted'

text urls_partners 'Вставьте в кабинеты партнёров:' "Put these into the partners' cabinets:"
text urls_own 'Для ваших программ:' 'For your own programs:'
text url_where '%s (токен: %s в %s)' '%s (token: %s in %s)'
text url_hidden 'Секрет в адресе EPN скрыт: kopeck urls --show-secrets' "The secret in EPN's URL is hidden: kopeck urls --show-secrets"
text not_set '%s не настроен: kopeck env set %s' '%s is not configured: kopeck env set %s'

text rotated 'Принимаются оба токена. Вставьте новый адрес в кабинет EPN, а после первого постбэка: kopeck rotate-token --finish' \
  'Both tokens are accepted. Put the new URL into the cabinet of EPN, and after its first postback: kopeck rotate-token --finish'
text rotating 'У %s уже два значения: второе ещё может быть в работе. Сначала: kopeck rotate-token %s --finish' \
  '%s has two values already, and the second may still be in use. First: kopeck rotate-token %s --finish'
text rotate_finished 'Прежний токен больше не принимается' 'The older token is accepted no more'
text env_set_done '%s записан. Чтобы службы прочли его: kopeck restart' '%s is set. For the services to read it: kopeck restart'
text env_set_value 'Значение %s' 'The value of %s'
text env_set_lines '%s: в значении не может быть нескольких строк' '%s: a value has one line'
text env_set_unknown 'предупреждение: %s не знает ни одна служба этого выпуска' 'warning: no service of this release knows %s'
text heartbeat_failed 'предупреждение: HEARTBEAT_URL_BACKUP не отвечает; сама копия сделана' \
  'warning: HEARTBEAT_URL_BACKUP does not answer; the backup itself is made'
text usage 'kopeck [команда]; без команды: меню' 'usage: kopeck [command]; without one: a menu'
text usage_suite 'и команды самой системы:' "and the suite's own:"
text usage_of 'использование: %s' 'usage: %s'
text not_installed 'Kopeck здесь не установлен: %s' 'Kopeck is not installed here: %s'
text menu_choose 'Номер (Enter: выход)' 'Number (Enter: leave)'
text menu_status 'контейнеры и книга' 'containers and the books'
text menu_urls 'адреса для кабинетов партнёров' "URLs for the partners' cabinets"
text menu_doctor 'что не так и что делать' 'what is wrong, and what to do'
text menu_logs 'журналы служб' 'what the services say'
text menu_backup 'резервная копия сейчас' 'a backup now'
text menu_restart 'перечитать .env' 'read .env anew'
text menu_upgrade 'новый выпуск' 'the newest release'
text menu_rotate-token 'новый токен EPN' 'a new token for EPN'
text menu_test-alert 'пробная тревога' 'an alert, for trial'
text menu_rollback 'вернуть прежний выпуск' 'the release before'
text menu_uninstall 'удалить; данные останутся' 'away with it; the data stays'
text rotated_own 'В %s (%s) теперь два значения: первое новое, второе ещё принимается. Потом: kopeck rotate-token %s --finish' \
  '%s (%s) has two values now: the first is new, the second still accepted. Then: kopeck rotate-token %s --finish'

text d_env_open '%s читают и другие (права %s)' '%s can be read by others (mode %s)'
text d_env_closed '%s читает только root' '%s is read by root alone'
text d_keys_missing 'в .env нет: %s' '.env lacks %s'
text d_keys_cure 'kopeck env set КЛЮЧ; смысл каждого: docs/configuration.md' 'kopeck env set KEY; what each means: docs/configuration.md'
text d_keys_there 'все нужные ключи заданы' 'every key that is needed is set'
text d_tokens_weak 'легко подобрать: %s' 'easily guessed: %s'
text d_tokens_twice 'одно значение для двух дверей: %s' 'the same value for two doors: %s'
text d_tokens_twice_cure 'kopeck rotate-token КЛЮЧ для одного из них' 'kopeck rotate-token KEY for one of them'
text d_tokens_fine 'свои токены длинные и разные' 'tokens of our own are long, and differ'
text d_domain_differs 'WEBHOOK_DOMAIN — %s, а плательщиков SBP_PUBLIC_URL ведёт на %s' \
  'WEBHOOK_DOMAIN is %s, and SBP_PUBLIC_URL sends payers to %s'
text d_domain_cure 'исправьте одно из двух: kopeck env set SBP_PUBLIC_URL, затем kopeck restart' \
  'mend one of the two: kopeck env set SBP_PUBLIC_URL, then kopeck restart'
text d_dns_none '%s нет в DNS' '%s is not in DNS'
text d_dns_wrong '%s указывает на %s' '%s points to %s'
text d_dns_cure 'запись A для %s должна быть %s' 'the A record of %s must be %s'
text d_clock_wrong 'часы ошибаются на %s с' 'the clock is off by %s s'
text d_clock_right 'часы идут верно (%s с)' 'the clock is right (%s s)'
text d_clock_unsynced 'часы не синхронизируются' 'the clock is not synchronised'
text d_disk '%s занят на %s %%, свободно %s МиБ' '%s is %s %% full, %s MiB are free'
text d_disk_cure 'освободите место: docker system prune, старые копии в backups/; журналы перестают принимать при 10 %%' \
  'make room: docker system prune, old files in backups/; journals stop taking at 10 %%'
text d_overcommit 'vm.overcommit_memory = %s: Redis может не суметь сохраниться' \
  'vm.overcommit_memory is %s: Redis may fail to save'
text d_container 'контейнер %s: %s' 'container %s: %s'
text d_container_cure 'kopeck logs %s скажет почему; затем kopeck restart %s' 'kopeck logs %s says why; then kopeck restart %s'
text d_containers_fine 'все контейнеры работают' 'all containers run and are healthy'
text d_image '%s работает не из образа выпуска %s' '%s does not run the image of release %s'
text d_image_cure 'kopeck up поставит образы выпуска; если образ подменён намеренно, уберите его из .env' \
  'kopeck up brings the images of the release; if it was replaced on purpose, take it out of .env'
text d_images_fine 'все контейнеры из выпуска %s' 'all containers are of release %s'
text d_port_closed '%s не отвечает' '%s does not answer'
text d_port_closed_cure 'kopeck logs traefik; порт %s должен быть открыт и в файрволе, и у провайдера' \
  'kopeck logs traefik; port %s must be open in the firewall and at the provider'
text d_port_answers '%s/api/health отвечает %s' '%s/api/health answers %s'
text d_port_answers_cure 'kopeck status; 404 — маршруты не прочитаны, 502 — служба не работает' \
  'kopeck status; 404: the routes are not read, 502: the service is away'
text d_cert_none 'порт не даёт сертификата' 'the port shows no certificate'
text d_cert_other 'сертификат выдан не на %s' 'the certificate is not for %s'
text d_cert_ends 'сертификату осталось %s дн.' 'the certificate has %s days left'
text d_cert_cure 'kopeck logs traefik скажет, почему нет нового; порт 80 должен быть открыт; свой сертификат: CERTS_DIR' \
  'kopeck logs traefik says why there is no new one; port 80 must be open; one of your own: CERTS_DIR'
text d_backup_none 'резервных копий нет' 'there is no backup'
text d_backup_old 'последней копии %s ч' 'the latest backup is %s h old'
text d_backup_age 'последней копии %s ч' 'the latest backup is %s h old'
text d_backup_cure 'kopeck backup; и чтобы он запускался сам: systemctl status kopeck-backup.timer' \
  'kopeck backup; and see that it runs by itself: systemctl status kopeck-backup.timer'
