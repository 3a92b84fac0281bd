# Captures this host's memory to the vault with winpmem, as a stream. The same rules as on Linux:
# the tool comes from the vault by digest, is checked before it runs, and uses the instance's role.
$ErrorActionPreference = 'Stop'
$Facts = [ordered]@{}

function Finish([int]$Code, [string]$Message) {
    $line = [ordered]@{ document = $Document; code = $Code; message = $Message } + $Facts
    [Console]::Out.WriteLine((ConvertTo-Json -Compress -InputObject $line))
    if ($script:Work -and (Test-Path -LiteralPath $Work)) {
        Remove-Item -LiteralPath $Work -Recurse -Force
    }
    exit $Code
}

# A process whose output, or input, is a stream of bytes: a PowerShell pipe would change them.
function Start-Bytes([string]$File, [string]$Arguments, [bool]$Reads) {
    $info = New-Object System.Diagnostics.ProcessStartInfo $File, $Arguments
    $info.UseShellExecute = $false
    $info.RedirectStandardInput = $Reads
    $info.RedirectStandardOutput = -not $Reads
    [System.Diagnostics.Process]::Start($info)
}

try {
    $digest = ''
    foreach ($pair in $Tools.Split(',')) {
        $name, $value = $pair.Split('=')
        if ($name -eq 'winpmem.exe') { $digest = $value }
    }
    if (-not $digest) { Finish 20 'winpmem.exe is not staged in the vault; memory was not captured' }
    $aws = Get-Command aws.exe -ErrorAction SilentlyContinue
    if (-not $aws) { Finish 20 'the AWS CLI is not on this host; memory was not captured' }

    $memory = [long](Get-CimInstance Win32_OperatingSystem).TotalVisibleMemorySize * 1024
    $Facts.kernel = [Environment]::OSVersion.VersionString
    $Facts.memory = $memory
    $Facts.key = $Key

    $Work = Join-Path $env:SystemRoot ('Temp\cordon-' + [Guid]::NewGuid().ToString('N'))
    New-Item -ItemType Directory -Path $Work | Out-Null
    $tool = Join-Path $Work 'winpmem.exe'
    & $aws.Source --region $Region s3 cp "s3://$Bucket/tools/$digest/winpmem.exe" $tool --only-show-errors
    if ($LASTEXITCODE -ne 0) { Finish 22 "can't fetch winpmem.exe from the vault" }
    if ((Get-FileHash -LiteralPath $tool -Algorithm SHA256).Hash -ne $digest) {
        Finish 23 'winpmem.exe in the vault is not what its digest says; it was not run'
    }

    $upload = "--region $Region s3 cp - s3://$Bucket/$Key --checksum-algorithm SHA256 " +
        "--only-show-errors --expected-size $($memory * 2)"
    $sink = Start-Bytes $aws.Source $upload $true
    $source = Start-Bytes $tool '-' $false
    $sha = [System.Security.Cryptography.SHA256]::Create()
    $buffer = New-Object byte[] 1048576
    $size = [long]0
    $samples = [long]0
    $nonzero = [long]0
    $broken = ''
    try {
        while (($read = $source.StandardOutput.BaseStream.Read($buffer, 0, $buffer.Length)) -gt 0) {
            [void]$sha.TransformBlock($buffer, 0, $read, $null, 0)
            $sink.StandardInput.BaseStream.Write($buffer, 0, $read)
            $size += $read
            # One byte in 509, a prime, so that the same place of each page is not read again.
            for ($i = 0; $i -lt $read; $i += 509) {
                $samples++
                if ($buffer[$i]) { $nonzero++ }
            }
        }
        [void]$sha.TransformFinalBlock($buffer, 0, 0)
    } catch [System.IO.IOException] {
        $broken = $_.Exception.Message
        if (-not $source.HasExited) { $source.Kill() }
    }
    $sink.StandardInput.Close()
    $source.WaitForExit()
    $sink.WaitForExit()

    $Facts.method = 'winpmem'
    $Facts.size = $size
    if (-not $broken) { $Facts.sha256 = -join ($sha.Hash | ForEach-Object { $_.ToString('x2') }) }
    if ($sink.ExitCode -ne 0) { Finish 22 'the vault did not take the capture' }
    if ($broken) { Finish 24 "the capture broke off: $broken" }
    if ($size -lt $memory) { Finish 24 "the capture has $size bytes, less than the memory's $memory" }
    if ($nonzero * 1000 -lt $samples) { Finish 24 'the capture is all but zeros' }
    Finish 0 'memory captured with winpmem'
} catch {
    Finish 24 "ended unexpectedly: $($_.Exception.Message)"
}
